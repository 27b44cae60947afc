"""Everything a case has to say for itself, as plain JSON: the findings of the sealed record.

No name and no address is in it: digests, counts, codes and the numbers that were measured.
"""

from __future__ import annotations

import platform
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from audits.core import events
from audits.core.account import LoggedEvent
from audits.core.software import VERSION
from audits.models import ErasureRequest, Evidence, LogLeaf, Verdict
from audits.queries import places
from audits.queries.clock_record import clock_record
from audits.queries.evidence import RUN, evidence_of, verdict_of
from audits.queries.exceptions import exceptions_of
from audits.queries.limits import limits_of
from audits.queries.operator_cases import account, operator_origin_of
from lineage.models import Artefact

if TYPE_CHECKING:
    from lineage.models import ModelVersion
    from unlearning.models import Tuning, UnlearningRun

PACKAGES = ("torch", "numpy", "scipy", "scikit-learn", "django", "celery")


def findings(request: ErasureRequest) -> dict[str, Any]:
    """Return the findings of a case, ready for RFC 8785."""
    runs = list(ordered_runs(request))
    return {
        "request": _request(request),
        **clock_record(request),
        **_operator(request),
        "policy": request.policy,
        "plan": request.plan,
        "plan_digest": request.plan_digest,
        "duplicates": [_duplicate(row) for row in request.duplicates.order_by("pk")],
        "runs": [describe_run(run, request) for run in runs],
        "evidence": [describe_evidence(row) for run in runs for row in evidence_of(run, request)],
        "erasure": _erasure(request),
        **places.findings(request),
        **_excepted(request),
        "limits": limits_of(request, runs),
        "software": {
            "expunge": VERSION,
            "python": platform.python_version(),
            **{name: version(name) for name in PACKAGES},
        },
    }


def ordered_runs(request: ErasureRequest) -> list[UnlearningRun]:
    """Return the runs of a case in the order of its plan, each followed by its escalation."""
    order = {row["version"]: place for place, row in enumerate(request.plan.get("affected", []))}
    runs = request.runs.all() if request.loaded_whole else request.runs.select_related(*RUN)
    return sorted(
        runs, key=lambda run: (order.get(str(run.target_id), len(order)), run.created_at)
    )


def describe_run(run: UnlearningRun, case: ErasureRequest | None = None) -> dict[str, Any]:
    """Return one run as the record of a case states it."""
    verdict = verdict_of(run, case)
    return {
        "run": str(run.pk),
        "version": str(run.target_id),
        "version_name": str(run.target),
        "version_digest": weights_digest(run.target),
        "base": None if run.base_id is None else str(run.base_id),
        "method": run.method,
        "hyperparameters": run.hyperparameters,
        "tuning": _tuning(run.tuning),
        "guarantee": run.guarantee,
        "status": run.status,
        "verdict": verdict.outcome if verdict else "",
        "reasons": verdict.reasons if verdict else [],
        "escalated_from": None if run.escalated_from_id is None else str(run.escalated_from_id),
        "forget_set_size": run.forget_count,
        "forget_digest": run.forget_digest,
        "seconds": run.seconds,
        "retrain_seconds": retrain_seconds(run),
        "retrain_seconds_predicted": run.retrain_seconds_predicted,
        "stood_in": _stood_in(run.interim),
        "unlearned": None if run.unlearned is None else str(run.unlearned_id),
        "unlearned_name": "" if run.unlearned is None else str(run.unlearned),
        "unlearned_digest": None if run.unlearned is None else weights_digest(run.unlearned),
        "weighed": run.weighed,
        "report": run.report,
        "release": _release(run),
        "error_code": run.error_code,
    }


def _release(run: UnlearningRun) -> dict[str, str] | None:
    """Return whether the result of a run was shown, and why."""
    found = getattr(run, "release", None)
    return {"state": found.state, "reason": found.reason} if found else None


def _stood_in(version_: ModelVersion | None) -> dict[str, Any] | None:
    """Return what served until a result could, also where the run itself then failed."""
    if version_ is None:
        return None
    return {
        "version": str(version_.pk),
        "name": str(version_),
        "digest": weights_digest(version_),
        **version_.metrics["interim"],
    }


def _tuning(found: Tuning | None) -> dict[str, Any] | None:
    """Return where the hyperparameters come from: what was frozen before the request came."""
    if found is None:
        return None
    return {
        "tuning": str(found.pk),
        "version": found.version,
        "artefact": found.digest,
        "dataset": str(found.snapshot.dataset_id),
        "frozen_at": events.instant(found.frozen_at) if found.frozen_at else None,
        "study": found.study_digest,
        "recipe_digest": found.recipe_digest,
        "trials": found.trials.exclude(values=[]).count(),
        "objectives": found.objectives,
    }


def retrain_seconds(run: UnlearningRun) -> float | None:
    """Return the measured seconds of the retraining of the same version, if one ran."""
    if run.method == "retrain":
        return run.seconds
    following = getattr(run, "escalated_to", None)
    return following.seconds if following else None


def weights_digest(version_: ModelVersion) -> str | None:
    """Return the digest of a version's weights, which outlives the weights."""
    weights = version_.artefacts.filter(kind=Artefact.Kind.WEIGHTS).order_by("created_at").first()
    return weights.sha256 if weights else None


def describe_evidence(row: Evidence) -> dict[str, Any]:
    """Return one piece of evidence, with its kept set and the verdict drawn from it."""
    verdict = Verdict.objects.filter(evidence=row).first()
    return {
        "evidence": str(row.pk),
        "run": str(row.run_id),
        "kind": row.kind,
        "look": row.look,
        "models_per_arm": row.models_per_arm,
        "digest": row.digest,
        "payload": row.payload,
        "plot_digest": row.plot.sha256 if row.plot else None,
        "verdict": verdict.outcome if verdict else None,
        "reasons": verdict.reasons if verdict else [],
    }


def case_events(request: ErasureRequest) -> tuple[LoggedEvent, ...]:
    """Return the events of a case with their places in the log."""
    leaves = LogLeaf.objects.filter(case_id=request.pk).order_by("index")
    return tuple(
        LoggedEvent(index=leaf.index, event=events.parse(bytes(leaf.data))) for leaf in leaves
    )


def _request(request: ErasureRequest) -> dict[str, Any]:
    times = {"verified_at": request.verified_at, "accepted_at": request.accepted_at}
    return {
        "reference": request.reference,
        "channel": request.channel,
        "received_at": events.instant(request.received_at),
        "due_on": request.due_on.isoformat() if request.due_on else None,
        "due_rule": request.due_rule,
        "ground": request.ground,
        "refusal_code": request.refusal_code,
        "outcome": request.outcome,
        "joined_to": request.joined_to.reference if request.joined_to else None,
        "linked_to": request.linked_to.reference if request.linked_to else None,
        **{name: None if at is None else events.instant(at) for name, at in times.items()},
    }


def _operator(request: ErasureRequest) -> dict[str, Any]:
    """Return what the operator chose, here or in the case it follows; nothing of a person's."""
    case = operator_origin_of(request.pk)
    return {"operator_case": account(case)} if case else {}


def _excepted(request: ErasureRequest) -> dict[str, Any]:
    """Return, by exception, the data set that it keeps; what staff wrote of places stays out."""
    names = {str(one.pk): one.where for one in exceptions_of(request).exclude(dataset=None)}
    return {"excepted_names": names} if names else {}


def _duplicate(row: Any) -> dict[str, Any]:  # noqa: ANN401  (a DuplicateFinding)
    return {"kind": row.kind, "distance": row.distance, "decision": row.decision}


def _erasure(request: ErasureRequest) -> dict[str, Any]:
    logged = [one.event for one in case_events(request)]

    def of(kind: str) -> list[dict[str, Any]]:
        return [dict(event.data) for event in logged if event.type == kind]

    return {
        "records": of("records_erased"),
        **({"kept_apart": kept} if (kept := of("records_kept_apart")) else {}),
        "artefacts": of("artefact_destroyed"),
        "shadows": of("shadows_purged"),
        **({"expired": gone} if (gone := of("shadows_expired")) else {}),
        "journal": of("journal_written"),
        "subject_keys_destroyed": len(of("subject_key_destroyed")),
    }
