"""The cheapest way that a policy accepts in time; every other one with the reason against it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from unlearning.core.planning.options import Weighing
from unlearning.core.planning.policy import ANY_TIME, Case, Intake, PlanningPolicy
from unlearning.core.planning.ways import Impossible, Option, Strength, Way, plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from unlearning.core.planning.facts import (
        ForgetFacts,
        MeasuredCosts,
        MethodFacts,
        VersionFacts,
    )

Candidate = Option | Impossible


@dataclass(frozen=True, kw_only=True)
class Ranked:
    """A way that would do, and what was for or against it."""

    option: Option
    reason: str


@dataclass(frozen=True, kw_only=True)
class Refused:
    """A way that will not do, and why; ``option`` is None where it is not even possible."""

    key: str
    reason: str
    option: Option | None = None


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What was weighed, and how it came out.

    Attributes:
        ranked: every way that would do, cheapest first; the first is taken.
        refused: every other way.
        bridge: what serves until the exact job is done, if anything does.
        overdue: where nothing is in time, the soonest that is strong enough.
        minimum: the weakest promise that was accepted.
        deadline: seconds that were left, or None.
    """

    ranked: tuple[Ranked, ...]
    refused: tuple[Refused, ...]
    bridge: Option | None
    overdue: Option | None
    minimum: Strength
    deadline: float | None

    @property
    def winner(self) -> Option | None:
        """The way that is taken; None where nothing would do in time."""
        return self.ranked[0].option if self.ranked else None

    def as_dict(self) -> dict[str, Any]:
        """Return what JSON can hold, the winner's name included."""
        told: dict[str, Any] = plain(self)
        return {"winner": self.winner.key if self.winner else None, **told}


def plan(
    version: VersionFacts,
    forget: ForgetFacts,
    *,
    policy: PlanningPolicy,
    measured: MeasuredCosts,
    methods: Iterable[MethodFacts] = (),
    case: Case = ANY_TIME,
) -> Decision:
    """Weigh every way to unlearn one version; a pure function of its arguments.

    Args:
        version: what was kept of its training.
        forget: the records to be forgotten.
        policy: what is accepted.
        measured: seconds that work takes here.
        methods: approximate methods of the catalogue, each once.
        case: who asked, and how long is left.
    """
    weighing = Weighing(
        version=version, forget=forget, measured=measured, verified=policy.verified
    )
    return choose(weighing.options(methods), policy=policy, case=case)


def choose(
    candidates: Sequence[Candidate],
    *,
    policy: PlanningPolicy,
    case: Case = ANY_TIME,
) -> Decision:
    """Rank the ways that would do by cost, the stronger promise first where it is equal.

    Raises:
        ValueError: two candidates have one name.
    """
    keys = [each.key for each in candidates]
    if twice := sorted({key for key in keys if keys.count(key) > 1}):
        raise ValueError(f"{', '.join(twice)} is given more than once; give each way once.")
    minimum = policy.minimum_for(case.intake)
    refused = [_impossible(each) for each in candidates if isinstance(each, Impossible)]
    strong, weak = _parted(
        [each for each in candidates if isinstance(each, Option)],
        lambda one: _too_weak(one, minimum, policy, case),
    )
    timely, late = _parted(strong, lambda one: _too_late(one, case))
    fresh = any(one.way is Way.RETRAIN for one in timely)
    feasible, worn = _parted(timely, lambda one: _worn_out(one, policy) if fresh else "")
    ordered = sorted(feasible, key=_order)
    overdue = (
        None if ordered else min(strong, key=lambda one: (one.latency, *_order(one)), default=None)
    )
    return Decision(
        ranked=tuple(_ranked(one, ordered[0]) for one in ordered),
        refused=(*refused, *weak, *late, *worn),
        bridge=_bridge(candidates, ordered[0] if ordered else overdue, policy, case),
        overdue=overdue,
        minimum=minimum,
        deadline=case.left,
    )


def _order(one: Option) -> tuple[float, int, float, str]:
    return one.cost.all_seconds, -one.strength.value, one.latency, one.key


def _parted(
    options: Sequence[Option],
    against: Callable[[Option], str],
) -> tuple[list[Option], list[Refused]]:
    kept, refused = [], []
    for one in options:
        if reason := against(one):
            refused.append(Refused(key=one.key, reason=reason, option=one))
        else:
            kept.append(one)
    return kept, refused


def _impossible(one: Impossible) -> Refused:
    return Refused(key=one.key, reason=one.reason)


def _too_weak(one: Option, minimum: Strength, policy: PlanningPolicy, case: Case) -> str:
    if not one.strength.reaches(minimum):
        if case.intake is Intake.OPERATOR:
            return (
                f"It promises {one.strength.name}, and a case that the operator started takes "
                "exact ways only."
            )
        return f"It promises {one.strength.name}, and the policy asks for {minimum.name} or more."
    if one.way is Way.NO_ACTION and not policy.accept_privacy:
        return "The policy does not accept differential privacy as a reason to do nothing."
    for name, value, most in (
        ("epsilon", one.epsilon, policy.max_epsilon),
        ("delta", one.delta, policy.max_delta),
    ):
        if value is not None and value > most:
            return f"Its {name} is {value:g}, and the policy accepts {most:g} at most."
    return ""


def _too_late(one: Option, case: Case) -> str:
    if case.left is None or one.latency <= case.left:
        return ""
    return f"It would be done in {_time(one.latency)}, and {_time(max(0.0, case.left))} are left."


def _worn_out(one: Option, policy: PlanningPolicy) -> str:
    if one.way not in policy.renewed or one.fraction <= policy.retrain_above:
        return ""
    return (
        f"It redoes {one.fraction:.0%} of the training; above {policy.retrain_above:.0%} a full "
        "retrain with a fresh plan is preferred."
    )


def _ranked(one: Option, winner: Option) -> Ranked:
    if one is winner:
        return Ranked(option=one, reason="It is the cheapest that is strong enough and in time.")
    more = one.cost.all_seconds - winner.cost.all_seconds
    if more:
        return Ranked(option=one, reason=f"It takes {more:.3g} s more work than {winner.key}.")
    return Ranked(option=one, reason=f"It costs the same and promises no more than {winner.key}.")


def _bridge(
    candidates: Sequence[Candidate],
    job: Option | None,
    policy: PlanningPolicy,
    case: Case,
) -> Option | None:
    """Return the strongest, then cheapest, that can serve until an exact job is done."""
    if job is None or not job.strength.exact:
        return None
    allowed = {Way.ROLLBACK}
    if policy.bridge and case.intake is Intake.SUBJECT:
        allowed.add(Way.APPROXIMATE)
    sooner = [
        one
        for one in candidates
        if isinstance(one, Option)
        and one.way in allowed
        and one.latency < job.latency
        and not _too_late(one, case)
    ]
    return min(sooner, key=lambda one: (-one.strength.value, *_order(one)), default=None)


def _time(seconds: float) -> str:
    for length, unit in ((86400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * length:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds:.1f} seconds"
