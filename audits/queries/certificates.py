"""Which certificate an audit may rely on, or why it trains a pool of shadow models."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

from django.conf import settings

from audits.core.certificate import (
    Procedure,
    forget_bucket,
    leak_shown,
    training_bucket,
    why_not,
)
from audits.core.policy import AuditData
from audits.core.software import VERSION
from audits.models import AuditPlan, Evidence, ProcedureCertificate, Verdict
from audits.queries.forget_sets import subjects_of
from audits.queries.policy_values import in_force, source_of
from audits.queries.sharing import told_apart
from lineage.queries.sources import training_snapshot, training_snapshots
from unlearning.models import UnlearningRun
from unlearning.queries.canaries import canaries_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from audits.core.policy import EvidencePolicy

FAILED = "FAIL"
NONE_YET = "No certificate was issued yet."
COMPARED = 50  # newest certificates that a reason is looked for among


@dataclass(frozen=True, kw_only=True)
class Found:
    """A certificate that stands, or why none does."""

    certificate: ProcedureCertificate | None = None
    reason: str = ""


def certifiable(run: UnlearningRun, policy: EvidencePolicy) -> bool:
    """Return whether a certificate can be about the audit of a run.

    It has to learn surrogates, on one snapshot, of one model alone: a child on a base that the
    same case unlearned is audited together with that base. Nor can it be about people who are
    judged each by themselves.
    """
    if len(told_apart(run)[0]) > 1:
        return False
    if policy.audit_data is not AuditData.SURROGATE or len(training_snapshots(run.target)) != 1:
        return False
    below = UnlearningRun.objects.filter(unlearned=run.base_id, requests__in=run.requests.all())
    return run.base_id is None or not below.exists()


def procedure_of(run: UnlearningRun, policy: EvidencePolicy) -> Procedure:
    """Return what a certificate on a run would be about."""
    snapshot, captured = training_snapshot(run.target), run.target.generated_by
    precision = "mixed precision" if settings.EXPUNGE_MIXED_PRECISION else "full precision"
    return Procedure(
        recipe=captured.recipe_digest,
        base=str(run.base_id or ""),
        method=run.method,
        hyperparameters=run.hyperparameters,
        data=str(snapshot.dataset_id),
        classes=len(captured.recipe_parameters.get("targets", ())),
        records=training_bucket(snapshot.record_count),
        forget=forget_bucket(run.forget_count),
        canaries=row.number if (row := canaries_of(run.target)) else 0,
        subjects=max(subjects_of(run) or [0]) + 1,
        policy=policy.digest(),
        device=f"{settings.EXPUNGE_DEVICE}, {precision}",
        software=f"expunge {VERSION}, torch {version('torch')}",
    )


def standing(procedure: Procedure, *, now: datetime) -> Found:
    """Return the certificate that stands for a procedure and covers the hardest records.

    Where none stands, the reason is that of the newest with the same key, else of the one that
    differs in the fewest fields.
    """
    same = ProcedureCertificate.objects.filter(key=procedure.key()).order_by("-issued_at")
    reasons = []
    for one in sorted(same, key=_hardness, reverse=True):
        reason = refused(one, procedure, now=now)
        if not reason:
            return Found(certificate=one)
        reasons.append((one.issued_at, reason))
    if reasons:
        return Found(reason=max(reasons)[1])
    return Found(reason=_other(procedure, now))


def _hardness(one: ProcedureCertificate) -> tuple[int, int]:
    return one.difficulty, sum(one.profile or ())


def refused(one: ProcedureCertificate, procedure: Procedure, *, now: datetime) -> str:
    """Return why a certificate does not stand for a procedure; empty if it does."""
    days = in_force("CERTIFICATE_DAYS")
    if not days:
        return turned_off()
    reason = why_not(one.stated(), procedure, digest=one.digest, days=days, now=now)
    if not reason and failures(one.key, since=one.issued_at):
        reason = f"A run of the procedure failed after certificate {one} was issued."
    return reason


def turned_off() -> str:
    """Return that no certificate is relied on, and by which value."""
    return f"The reuse of certificates is turned off: {source_of('CERTIFICATE_DAYS')} is 0."


def failures(key: str, *, since: datetime, pools_only: bool = False) -> int:
    """Return how many audits under a key failed for what the procedure does, from a moment on.

    The fail of a pool counts where a leak was shown. Its instance test alone does not: it is
    about that run, and the pool measured the procedure beside it; so is the fail of canaries
    (docs/adr/0032-a-certificate-stands-for-a-procedure.md).
    """
    plans = AuditPlan.objects.filter(procedure_key=key)
    if pools_only:
        plans = plans.filter(certificate=None)
    relying = set(plans.filter(certificate__isnull=False).values_list("run", flat=True))
    failed = Verdict.objects.filter(
        evidence__kind__in=(Evidence.Kind.U_LIRA, Evidence.Kind.CANARIES),
        outcome=FAILED,
        created_at__gte=since,
    )
    return sum(
        one.run_id in relying or _leaks(one.evidence)
        for one in failed.filter(run__in=plans.values("run")).select_related("evidence")
    )


def _leaks(failed: Evidence) -> bool:
    return failed.kind == Evidence.Kind.U_LIRA and leak_shown(failed.payload)


def pools(key: str) -> int:
    """Return for how many runs under a key a pool of shadow models was judged to the end."""
    plans = AuditPlan.objects.filter(procedure_key=key, certificate=None)
    ended = Verdict.objects.filter(evidence__kind=Evidence.Kind.U_LIRA, final=True)
    return ended.filter(run__in=plans.values("run")).values("run").distinct().count()


def all_certificates() -> Sequence[ProcedureCertificate]:
    """Return every certificate, the newest first."""
    return list(ProcedureCertificate.objects.order_by("-issued_at", "-pk"))


def _other(procedure: Procedure, now: datetime) -> str:
    others = ProcedureCertificate.objects.order_by("-issued_at")[:COMPARED]
    nearest = min(
        others,
        key=lambda one: len(procedure.differing(one.stated().procedure)),
        default=None,
    )
    return refused(nearest, procedure, now=now) if nearest else NONE_YET
