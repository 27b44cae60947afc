"""Judge an exact run: what lineage and replay say, asked anew from what is stored."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from audits.core.bounded import (
    BoundedChecks,
    CertifiedChecks,
    decide_bounded,
    decide_certified,
    resting_on,
)
from audits.core.verdict import ExactChecks, decide_exact
from audits.models import Evidence
from audits.queries import cases
from audits.services import closing
from audits.services.verdicts import Finding
from expunge import environment
from lineage.queries.artefacts import weights_of
from lineage.queries.closure import affected
from lineage.queries.sources import learned_by, parents_of
from unlearning.execution import privacy
from unlearning.execution.certificates import budget_of
from unlearning.execution.loading import recipe_of
from unlearning.services import runs

if TYPE_CHECKING:
    from lineage.models import ModelVersion
    from unlearning.models import UnlearningRun


def judge_by_construction(run: UnlearningRun) -> list[Finding]:
    """Return evidence and verdict of an exact run, or of a version destroyed or left alone."""
    if run.method == runs.NO_ACTION:
        return [_left_alone(run)]
    if run.unlearned is None:
        return [_destroy(run)]
    if run.method == runs.NEWTON:
        return [_certified(run, run.unlearned)]
    checks = exact_checks(run, run.unlearned)
    verdict = decide_exact(checks)
    line = _line(run.unlearned)
    payload = {"checks": _plain(checks), "ancestors": [str(one) for one in line]}
    verdict = resting_on(verdict, [str(one) for one in line if one.guarantee == runs.CERTIFIED])
    return [_finding(payload, verdict.outcome.value, verdict.reasons)]


def exact_checks(run: UnlearningRun, result: ModelVersion) -> ExactChecks:
    """Return what the stored lineage says about the result of an exact run."""
    forget = runs.forget_of(run)
    line = _line(result)
    weights_of(result)  # raises unless the stored bytes have the recorded digest
    captured = result.generated_by
    still = {one.version.pk for one in affected(run.space, forget).versions}
    return ExactChecks(
        manifest_matches=recipe_of(result).digest() == captured.recipe_digest
        and captured.recipe_digest == run.target.generated_by.recipe_digest,
        overlapping=tuple(
            str(one)
            for one in line
            if one.pk in still or learned_by(one, run.space).intersect(forget)
        ),
        inexact=tuple(str(one) for one in line if one.guarantee == runs.APPROXIMATE),
        code_digest=captured.recipe_digest,
        environment_digest=environment.digest(captured.environment)
        if captured.environment
        else "",
    )


def _line(version: ModelVersion) -> list[ModelVersion]:
    """Return a version and every version that it was trained from, each once."""
    line = [version]
    for one in line:
        line += [parent for parent in parents_of(one) if parent not in line]
    return line


def _left_alone(run: UnlearningRun) -> Finding:
    """Ask anew what the training promised, and whether that is what the policy accepted."""
    forget = runs.forget_of(run)
    weights_of(run.target)  # raises unless the stored bytes have the recorded digest
    found = privacy.bound(run.target, run.space, forget)
    promised = {"missing": found, "epsilon": None, "delta": None, "people": 0}
    children = [
        str(one.version)
        for one in affected(run.space, forget).versions
        if run.target in parents_of(one.version)
    ]
    checks = BoundedChecks(
        **(promised if isinstance(found, str) else asdict(found)),
        **run.hyperparameters,
        made_from=tuple(children),
    )
    verdict = decide_bounded(checks)
    payload = {"checks": {**asdict(checks), "made_from": children}}
    return _finding(payload, verdict.outcome.value, verdict.reasons)


def _certified(run: UnlearningRun, result: ModelVersion) -> Finding:
    """Ask both states for their budgets; the certificate rests on the later one."""
    before, after = budget_of(run.target), budget_of(result)
    if isinstance(before, str) or isinstance(after, str):
        reason = before if isinstance(before, str) else str(after)
        return _finding({"checks": {"missing": reason}}, "INVALID", (reason,))
    digest = run.target.generated_by.recipe_digest
    checks = CertifiedChecks(
        epsilon=after.epsilon,
        delta=after.delta,
        limit=after.limit,
        spent_before=before.spent,
        spent=after.spent,
        removed=after.removed - before.removed,
        records=run.forget_count,
        same_recipe=recipe_of(result).digest() == result.generated_by.recipe_digest == digest,
        **run.weighed["accepted"],
    )
    verdict = decide_certified(checks)
    return _finding({"checks": asdict(checks)}, verdict.outcome.value, verdict.reasons)


def _destroy(run: UnlearningRun) -> Finding:
    case = cases.cases_of_run(run.pk).order_by("received_at").first()
    case_id = run.pk if case is None else case.pk
    gone = closing.destroy_version(version=run.target, case_id=case_id, now=timezone.now())
    reason = f"{run.target} was destroyed: its {len(gone)} stored files are gone, read back."
    payload = {"checks": {"destroyed": True, "files": len(gone)}}
    return _finding(payload, "ERASED_BY_CONSTRUCTION", (reason,))


def _finding(payload: dict[str, Any], outcome: str, reasons: tuple[str, ...]) -> Finding:
    return Finding(
        kind=Evidence.Kind.CONSTRUCTION,
        look=0,
        models_per_arm=0,
        payload={**payload, "reasons": list(reasons)},
        outcome=outcome,
        reasons=reasons,
        final=True,
    )


def _plain(checks: ExactChecks) -> dict[str, Any]:
    values = asdict(checks)
    return {
        **values,
        "overlapping": list(checks.overlapping),
        "inexact": list(checks.inexact),
        "smoke": None if checks.smoke is None else checks.smoke.value,
    }
