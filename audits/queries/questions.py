"""What each audit was to conclude, and what it came to, whatever that was.

A *question* is about one run, or about one case of a run whose design tells its cases apart.
Thousands are read for one page, so what they are made of are values, not rows of models.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db.models import BooleanField, ExpressionWrapper, F, Q

from audits.core.policy import Mode
from audits.core.strength import Strength
from audits.core.verdict import Outcome
from audits.models import AuditPlan, ErasureRequest, Verdict
from unlearning.models import UnlearningRun

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

PASSES = (Outcome.PASS_LEAK, Outcome.PASS_STRICT)
OPEN, WITHOUT = "OPEN", "WITHOUT_A_VERDICT"
SPENT, OWES = "SPENT", "OWES"
# Of the payload a few numbers are read, in the order of the fields of ``Drawn``.
_OF_PAYLOAD = (
    F("evidence__payload__strength"),
    ExpressionWrapper(Q(evidence__payload__has_key="kept"), output_field=BooleanField()),
    F("evidence__payload__kept__attempt"),
    F("evidence__payload__kept__debt"),
)
_OF_VERDICT = (
    *("run_id", "outcome", "final", "created_at", "evidence_id"),
    *("evidence__digest", "evidence__look", "evidence__request_id"),
)
OVER = (UnlearningRun.Status.CLEARED, UnlearningRun.Status.REJECTED, UnlearningRun.Status.FAILED)


class Case(NamedTuple):
    """What is shown of a case."""

    pk: UUID
    reference: str
    received_at: datetime


class Drawn(NamedTuple):
    """A verdict, with what its evidence is known by and what was kept of its numbers.

    ``about`` is the case that it is about; None: the whole run.
    """

    run: UUID
    outcome: str
    final: bool
    at: datetime
    evidence: UUID
    digest: str
    look: int
    about: UUID | None
    strength: Any
    numbers: bool
    attempt: Any
    debt: Any

    @property
    def clears(self) -> bool:
        """Return whether the run may be cleared by it."""
        return Outcome(self.outcome).closes


@dataclass(frozen=True, kw_only=True)
class Question:
    """One thing that an audit was to conclude.

    Attributes:
        run: the run it is about.
        case: the reference of the case, of a run that serves several; else empty.
        outcome: of the last verdict, ``OPEN`` or ``WITHOUT_A_VERDICT``.
        evidence: what the last verdict was drawn from; ``digest`` is that of its content.
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
    evidence: UUID | None = None
    digest: str = ""
    of: Case | None = None
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
    planned = AuditPlan.objects.filter(run__in=chosen)
    plans = {one.run_id: one for one in planned.defer("procedure", "profile")}
    verdicts = Verdict.objects.filter(run__in=chosen).order_by("evidence__look", "created_at")
    drawn: dict[Any, list[Drawn]] = {}
    for one in map(Drawn._make, verdicts.values_list(*_OF_VERDICT, *_OF_PAYLOAD)):
        drawn.setdefault(one.run, []).append(one)
    cases = _cases(chosen)
    for run in runs:
        yield from _of_run(run, plans.get(run.pk), drawn.get(run.pk, []), cases.get(run.pk, {}))


def _cases(runs: Sequence[Any]) -> dict[Any, dict[Any, Case]]:
    """Return the cases of each run, by key."""
    links = ErasureRequest.runs.through.objects.filter(unlearningrun__in=runs)
    of_case = ("erasurerequest_id", "erasurerequest__reference", "erasurerequest__received_at")
    found: dict[Any, dict[Any, Case]] = {}
    for run, *values in links.values_list("unlearningrun_id", *of_case):
        case = Case._make(values)
        found.setdefault(run, {})[case.pk] = case
    return found


def _of_run(
    run: UnlearningRun,
    plan: AuditPlan | None,
    verdicts: Sequence[Drawn],
    cases: Mapping[Any, Case],
) -> Iterator[Question]:
    """Yield one question for each case that the design tells apart, else one for the run."""
    shared = plan.design.get("subjects") if plan else None
    if not shared:
        first = min(cases.values(), key=lambda one: one.received_at, default=None)
        yield _question(run, plan, _last(_by_case(verdicts)[None]), of=first)
        return
    names, drawn = {str(pk): case for pk, case in cases.items()}, _by_case(verdicts)
    for name in (name for group in shared for name in group):
        case = names.get(name)
        own = _last(drawn.get(case.pk if case else None, drawn[None]))
        yield _question(run, plan, own, of=case, case=case.reference if case else name)


def _last(verdicts: Sequence[Drawn]) -> Drawn | None:
    """Return the last of some verdicts; of several at once, one that did not clear the case."""
    if not verdicts:
        return None
    latest = (verdicts[-1].look, verdicts[-1].at)
    together = [one for one in verdicts if (one.look, one.at) == latest]
    return next((one for one in together if not one.clears), together[-1])


def _by_case(verdicts: Sequence[Drawn]) -> dict[Any, list[Drawn]]:
    """Return the verdicts about each case; under None those about the whole run, in all lists."""
    cases = {one.about for one in verdicts}
    whole = [one for one in verdicts if one.about is None]
    found: dict[Any, list[Drawn]] = {case: [] for case in cases} | {None: whole}
    for one in verdicts:
        for case in cases - {None} if one.about is None else (one.about,):
            found[case].append(one)
    return found


def _question(
    run: UnlearningRun,
    plan: AuditPlan | None,
    verdict: Drawn | None,
    *,
    of: Case | None,
    case: str = "",
) -> Question:
    ended = verdict is not None and verdict.final
    outcome = verdict.outcome if verdict and ended else WITHOUT if run.status in OVER else OPEN
    own = plan is not None and plan.certificate_id is None
    attempt, charged = _attempt(verdict, plan)
    return Question(
        run=run,
        case=case,
        outcome=outcome,
        evidence=verdict.evidence if verdict else None,
        digest=verdict.digest if verdict else "",
        of=of,
        pool=own,
        certificate=str(plan.certificate_id or "") if plan else "",
        attempt=attempt,
        charged=charged,
        strength=_strength(verdict) if verdict and own and outcome in PASSES else None,
    )


def _strength(verdict: Drawn) -> Strength | None:
    return Strength.of_evidence({"strength": verdict.strength})


def _attempt(verdict: Drawn | None, plan: AuditPlan | None) -> tuple[int, str]:
    """Return the number of an attempt, and how it is charged for those before it."""
    if plan is None or verdict is None or not verdict.numbers:
        return 0, ""
    number = int(1 if verdict.attempt is None else verdict.attempt)
    if plan.policy.get("mode", Mode.LOOKS) == Mode.LOOKS:
        return number, SPENT if number > 1 else ""
    return number, OWES if (verdict.debt or 0.0) > 0 else ""
