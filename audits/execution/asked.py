"""Why a version is unlearned, and what (epsilon, delta) other versions leave of what is accepted.

The bounds of several versions add up (basic composition: Dwork et al., "Our data, ourselves",
EUROCRYPT 2006): whoever sees them all learns at most the sum. So the versions that a case leaves
alone, or takes records out of within a bound, share what is accepted with each other and with what
earlier cases left of the same people or records (``audits/queries/promises.py``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

from audits.queries.policy_values import in_force
from unlearning.core.planning.policy import Intake


@dataclass(frozen=True, kw_only=True)
class Accepted:
    """The most that may be promised from now on; an epsilon of 0 accepts nothing."""

    epsilon: float
    delta: float

    @classmethod
    def of_policy(cls) -> Self:
        """Return what the installation accepts of what one person, or one record, is in."""
        return cls(epsilon=in_force("ACCEPT_EPSILON"), delta=in_force("ACCEPT_DELTA"))

    def less(self, epsilon: float, delta: float) -> Accepted:
        """Return what is left once a version was accepted with its bound."""
        return Accepted(
            epsilon=max(0.0, self.epsilon - epsilon), delta=max(0.0, self.delta - delta)
        )

    def as_dict(self) -> dict[str, float]:
        """Return it as a run keeps it."""
        return {"accepted_epsilon": self.epsilon, "accepted_delta": self.delta}


@dataclass(frozen=True, kw_only=True)
class Asked:
    """For whom, and beside what, a version is to be unlearned.

    Attributes:
        intake: who asked; for an operator's case only exact ways will do.
        shared: several requests are served, so that a fresh plan is preferred to a replay of
            nearly everything.
        made_from: another version that learned from the records was made from this one.
        accepted: what is left of the (epsilon, delta) that the policy accepts, once what earlier
            cases left of the same people or records is taken from it.
    """

    intake: Intake = Intake.SUBJECT
    shared: bool = False
    made_from: bool = False
    accepted: Accepted = field(default_factory=Accepted.of_policy)
