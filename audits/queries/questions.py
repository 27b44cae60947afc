"""What each audit was to conclude, and what it came to, whatever that was.

A *question* is about one run, or about one case of a run whose design tells its cases apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from audits.core.policy import Mode
from audits.core.strength import Strength
from audits.core.verdict import Outcome
from audits.models import AuditPlan, ErasureRequest, Evidence, Verdict
from unlearning.models import UnlearningRun

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

PASSES = (Outcome.PASS_LEAK, Outcome.PASS_STRICT)
OPEN, WITHOUT = "OPEN", "WITHOUT_A_VERDICT"
SPENT, OWES = "SPENT", "OWES"
OVER = (UnlearningRun.Status.CLEARED, UnlearningRun.Status.REJECTED, UnlearningRun.Status.FAILED)


@dataclass(frozen=True, kw_only=True)
class Question:
    """One thing that an audit was to conclude.

    Attributes:
        run: the run it is about.
        case: the reference of the case, of a run that serves several; else empty.
        outcome: of the last verdict, ``OPEN`` or ``WITHOUT_A_VERDICT``.
        evidence: what the last verdict was drawn from.
        of: a case whose page shows it.
        pool: whether its leak was to be bounded by a pool of shadow models of its own.
        certificate: the certificate that was relied on instead, or empty.
        attempt: its number among those on the same version and records; 0 before the first look.
        charged: why an earlier attempt counts against it: ``SPENT`` or ``OWES``; else empty.
        strength: what a pass by an own pool says; None of anything else, and of evidence from
            before it was kept: that says nothing.
    """

    run: UnlearningRun
    case: str = ""
    outcome: str = OPEN
    evidence: Evidence | None = None
    of: ErasureRequest | None = None
    pool: bool = False
    certificate: str = ""
    attempt: int = 0
    charged: str = ""
    strength: Strength | None = None

    @property
    def passed(self) -> bool:
        """Return whether attacks bounded the leak."""
        return self.outcome in PASSES


def questions_of(runs: Sequence[UnlearningRun]) -> Iterator[Question]:
    """Yield what the audits of some runs were to conclude, in the order of the runs."""
    chosen = [run.pk for run in runs]
    plans = {one.run_id: one for one in AuditPlan.objects.filter(run__in=chosen)}
    verdicts = Verdict.objects.filter(run__in=chosen).select_related("evidence")
    drawn: dict[Any, list[Verdict]] = {}
    for one in verdicts.order_by("evidence__look", "created_at"):
        drawn.setdefault(one.run_id, []).append(one)
    cases = _cases(chosen)
    for run in runs:
        yield from _of_run(run, plans.get(run.pk), drawn.get(run.pk, []), cases.get(run.pk, {}))


def _cases(runs: Sequence[Any]) -> dict[Any, dict[Any, ErasureRequest]]:
    """Return the cases of each run, by key."""
    links = ErasureRequest.runs.through.objects.filter(unlearningrun__in=runs)
    pairs = list(links.values_list("unlearningrun_id", "erasurerequest_id"))
    known = ErasureRequest.objects.in_bulk({case for _, case in pairs})
    found: dict[Any, dict[Any, ErasureRequest]] = {}
    for run, case in pairs:
        found.setdefault(run, {})[case] = known[case]
    return found


def _of_run(
    run: UnlearningRun,
    plan: AuditPlan | None,
    verdicts: Sequence[Verdict],
    cases: Mapping[Any, ErasureRequest],
) -> Iterator[Question]:
    """Yield one question for each case that the design tells apart, else one for the run."""
    shared = plan.design.get("subjects") if plan else None
    if not shared:
        first = min(cases.values(), key=lambda one: one.received_at, default=None)
        yield _question(run, plan, _last(verdicts, None), of=first)
        return
    names = {str(pk): case for pk, case in cases.items()}
    for name in (name for group in shared for name in group):
        case = names.get(name)
        own = _last(verdicts, case.pk if case else None)
        yield _question(run, plan, own, of=case, case=case.reference if case else name)


def _last(verdicts: Sequence[Verdict], case: Any) -> Verdict | None:  # noqa: ANN401  (a key)
    """Return the last verdict about a case; of several at once, one that did not clear it."""
    about = [one for one in verdicts if one.evidence.request_id in (None, case)]
    if not about:
        return None
    latest = (about[-1].evidence.look, about[-1].created_at)
    together = [one for one in about if (one.evidence.look, one.created_at) == latest]
    return next((one for one in together if not one.clears), together[-1])


def _question(
    run: UnlearningRun,
    plan: AuditPlan | None,
    verdict: Verdict | None,
    *,
    of: ErasureRequest | None,
    case: str = "",
) -> Question:
    ended = verdict is not None and verdict.final
    outcome = verdict.outcome if verdict and ended else WITHOUT if run.status in OVER else OPEN
    own = plan is not None and plan.certificate_id is None
    found = verdict.evidence if verdict else None
    attempt, charged = _attempt(found, plan)
    return Question(
        run=run,
        case=case,
        outcome=outcome,
        evidence=found,
        of=of,
        pool=own,
        certificate=str(plan.certificate_id or "") if plan else "",
        attempt=attempt,
        charged=charged,
        strength=Strength.of_evidence(found.payload)
        if found and own and outcome in PASSES
        else None,
    )


def _attempt(found: Evidence | None, plan: AuditPlan | None) -> tuple[int, str]:
    """Return the number of an attempt, and how it is charged for those before it."""
    kept = found.payload.get("kept") if found and isinstance(found.payload, dict) else None
    if plan is None or not isinstance(kept, dict):
        return 0, ""
    number = int(kept.get("attempt", 1))
    if plan.policy.get("mode", Mode.LOOKS) == Mode.LOOKS:
        return number, SPENT if number > 1 else ""
    return number, OWES if kept.get("debt", 0.0) > 0 else ""
