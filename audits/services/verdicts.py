"""Keep what was measured of a run together with what is concluded from it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import rfc8785
from django.db import transaction

from audits.core.evidence_schema import check_payload
from audits.core.verdict import Outcome
from audits.models import ErasureRequest, Evidence, Verdict
from audits.queries import cases
from audits.queries.evidence import looks_taken
from audits.queries.releases import gate_of
from audits.services import certificates, log
from audits.services.readings import log_readings
from lineage.models import Artefact
from unlearning.models import UnlearningRun
from unlearning.services import runs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

CLEARING = tuple(one.value for one in Outcome if one.closes)


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One piece of evidence, and what was concluded from it where it may conclude.

    ``case`` is set where it is about the records of one of several cases that the run serves.
    """

    kind: str
    look: int
    models_per_arm: int
    payload: Mapping[str, Any]
    plot: Artefact | None = None
    case: ErasureRequest | None = None
    outcome: str = ""
    reasons: Sequence[str] = ()
    final: bool = False


def not_computed(*, run_id: UUID, reason: str, now: datetime) -> None:
    """End the audit of a run whose attack cannot be made: inconclusive, never a pass."""
    run = UnlearningRun.objects.get(pk=run_id)
    if run.status != UnlearningRun.Status.SUCCEEDED:
        return  # another chunk of the same look came to this end
    finding = Finding(
        kind=Evidence.Kind.U_LIRA,
        look=looks_taken(run),
        models_per_arm=0,
        payload={"not_computed": reason},
        outcome="INCONCLUSIVE",
        reasons=[reason],
        final=True,
    )
    conclude(run_id=run_id, findings=[finding], now=now)


@transaction.atomic
def conclude(*, run_id: UUID, findings: Sequence[Finding], now: datetime) -> None:
    """Keep evidence, verdict and the run's new state together, once per look.

    Nothing once the audit is over: another worker judged it, or its shadow models expired.

    Raises:
        PayloadUnfit: a payload is not of the published shape; the sentence names the place.
    """
    run = UnlearningRun.objects.select_for_update().get(pk=run_id)
    if run.status != UnlearningRun.Status.SUCCEEDED:
        return
    for request in cases.cases_of_run(run_id):
        log_readings(request=request, now=now)
    for finding in findings:
        _keep(run, finding, now)
    judging = [one.outcome in CLEARING for one in findings if one.final]
    if not judging:
        return
    # What an approximate method made worse is made exactly instead; what is exact is only held.
    worse = run.guarantee == runs.APPROXIMATE and gate_of(run).held
    cleared = all(judging) and not worse
    if not runs.judge_run(run_id=run_id, cleared=cleared):
        return
    if cleared:
        _certify(run, [one for one in findings if one.final], now)
    for request in cases.cases_of_run(run_id):
        log.append(
            type="run_finished",
            case=request.pk,
            now=now,
            data={
                "run": str(run_id),
                "method": run.method,
                "guarantee": run.guarantee,
                "result": _result_digest(run),
                "elapsed_ms": round(1000 * (run.seconds or 0)),
            },
            once=f"finish:{request.pk}:{run_id}",
        )


def _certify(run: UnlearningRun, judging: Sequence[Finding], now: datetime) -> None:
    """Let the evidence of a pool that passed stand for the next request."""
    for one in judging:
        if one.kind == Evidence.Kind.U_LIRA and one.case is None:
            row = Evidence.objects.get(run=run, kind=one.kind, look=one.look, request=None)
            certificates.issue(evidence=row, outcome=one.outcome, now=now)


def _keep(run: UnlearningRun, finding: Finding, now: datetime) -> None:
    payload = dict(finding.payload)
    check_payload(finding.kind, payload)
    digest = hashlib.sha256(rfc8785.dumps(payload)).hexdigest()
    row, created = Evidence.objects.get_or_create(
        run=run,
        kind=finding.kind,
        look=finding.look,
        request=finding.case,
        defaults={
            "models_per_arm": finding.models_per_arm,
            "payload": payload,
            "digest": digest,
            "plot": finding.plot,
            "created_at": now,
        },
    )
    if not created:
        return
    served = [finding.case] if finding.case else list(cases.cases_of_run(run.pk))
    if "scores" in payload:
        _log_scores(run, finding, payload["scores"], served, now)
    if not finding.outcome:
        return
    Verdict.objects.create(
        run=run,
        evidence=row,
        outcome=finding.outcome,
        reasons=list(finding.reasons),
        final=finding.final,
        created_at=now,
    )
    for request in served:
        log.append(
            type="verdict_reached",
            case=request.pk,
            now=now,
            data={
                "run": str(run.pk),
                "verdict": finding.outcome,
                "evidence": digest,
                "models_per_arm": finding.models_per_arm,
            },
        )


def _log_scores(
    run: UnlearningRun,
    finding: Finding,
    committed: Mapping[str, Any],
    served: Sequence[ErasureRequest],
    now: datetime,
) -> None:
    """Log the commitment to the scores of a look, before what was concluded from them."""
    for request in served:
        log.append(
            type="scores_committed",
            case=request.pk,
            now=now,
            data={"run": str(run.pk), "look": finding.look, **committed},
        )


def _result_digest(run: UnlearningRun) -> str:
    weights = Artefact.objects.filter(version=run.unlearned, kind=Artefact.Kind.WEIGHTS).first()
    return weights.sha256 if run.unlearned_id and weights else hashlib.sha256(b"").hexdigest()
