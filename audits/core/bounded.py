"""Judge what rests on an (epsilon, delta): a version left alone, and a certified removal."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from audits.core.verdict import Outcome, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, kw_only=True)
class BoundedChecks:
    """What is known of a version that is left as it is.

    Attributes:
        epsilon: what its training promised those who are erased together; None for nothing.
        delta: of that promise.
        people: how many of them there are, as the training counted them.
        accepted_epsilon: the most that the policy accepted when the plan was drawn.
        accepted_delta: likewise.
        missing: why nothing is promised, where epsilon is None.
        made_from: versions made from this one that learned of the records through it.
    """

    epsilon: float | None
    delta: float | None
    people: int
    accepted_epsilon: float
    accepted_delta: float
    missing: str = ""
    made_from: tuple[str, ...] = ()


def decide_bounded(checks: BoundedChecks) -> Verdict:
    """Return whether the promise of a training is as good as the policy asks.

    It says nothing of the model as it came out: the bound is a property of how it was trained.
    """
    if checks.epsilon is None or checks.delta is None:
        return _invalid(checks.missing or "Its training promised nothing.")
    if not (math.isfinite(checks.epsilon) and 0 <= checks.delta < 1):
        return _invalid("Its epsilon or delta is no number that promises anything.")
    if checks.epsilon > checks.accepted_epsilon or checks.delta > checks.accepted_delta:
        return _invalid(
            f"Its training promised epsilon {checks.epsilon:.3g} and delta {checks.delta:g}; the "
            f"policy accepted {checks.accepted_epsilon:g} and {checks.accepted_delta:g} at most."
        )
    if checks.made_from:
        return _invalid(
            f"{', '.join(checks.made_from)} learned of the records through it, and would stand "
            "on it."
        )
    who = "one person" if checks.people == 1 else f"{checks.people} people together"
    return Verdict(
        outcome=Outcome.BOUNDED_IN_TRAINING,
        reasons=(
            f"The version was left as it is. Its training bounded what {who} could change: "
            f"epsilon {checks.epsilon:.3g} and delta {checks.delta:g}, where the policy accepted "
            f"{checks.accepted_epsilon:g} and {checks.accepted_delta:g} at most.",
        ),
    )


@dataclass(frozen=True, kw_only=True)
class CertifiedChecks:
    """What the budget of a certified head says before and after a removal.

    Attributes:
        epsilon: of the certificate; ``delta`` likewise.
        limit: norm of the gradient that the noise covers.
        spent_before: bound on the gradient left behind by earlier removals.
        spent: with this one.
        removed: records that this one took out, by the count that the head keeps.
        records: records that were to be forgotten.
        same_recipe: the recipe has the digest that was captured for both versions.
        accepted_epsilon: the most that the policy accepted when the plan was drawn.
        accepted_delta: likewise.
        missing: why there is no certificate; empty where there is one.
    """

    epsilon: float
    delta: float
    limit: float
    spent_before: float
    spent: float
    removed: int
    records: int
    same_recipe: bool
    accepted_epsilon: float
    accepted_delta: float
    missing: str = ""


def decide_certified(checks: CertifiedChecks) -> Verdict:
    """Return whether a removal keeps to its certificate and the certificate to the policy."""
    if checks.missing:
        return _invalid(checks.missing)
    if not checks.same_recipe:
        return _invalid("The recipe of the result is not the one of the version.")
    if checks.removed != checks.records:
        return _invalid(
            f"The head counts {checks.removed} records taken out, and {checks.records} were to be "
            "forgotten."
        )
    if not checks.spent_before <= checks.spent <= checks.limit:
        return _invalid(
            f"The budget went from {checks.spent_before:.3g} to {checks.spent:.3g}, and the noise "
            f"covers {checks.limit:.3g}."
        )
    if checks.epsilon > checks.accepted_epsilon or checks.delta > checks.accepted_delta:
        return _invalid(
            f"The certificate has epsilon {checks.epsilon:g} and delta {checks.delta:g}; the "
            f"policy accepted {checks.accepted_epsilon:g} and {checks.accepted_delta:g} at most."
        )
    return Verdict(
        outcome=Outcome.BOUNDED_REMOVAL,
        reasons=(
            f"The removal leaves a gradient of at most {checks.spent:.3g} behind, with all before "
            f"it, and the noise of the training covers {checks.limit:.3g} at epsilon "
            f"{checks.epsilon:g} and delta {checks.delta:g}.",
        ),
    )


def resting_on(verdict: Verdict, certified: Sequence[str]) -> Verdict:
    """Return the verdict on an exact run whose result is, or stands on, a certified version.

    What was made exactly is erased by construction only where everything below it was.
    """
    if verdict.outcome is not Outcome.ERASED_BY_CONSTRUCTION or not certified:
        return verdict
    below = f"{', '.join(certified)} rests on removals within a bound: this is no more than that."
    return Verdict(outcome=Outcome.BOUNDED_REMOVAL, reasons=(*verdict.reasons, below))


def _invalid(reason: str) -> Verdict:
    return Verdict(outcome=Outcome.INVALID, reasons=(reason,))
