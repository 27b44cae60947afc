"""What an installation accepts as unlearned."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from unlearning.core.costs.checks import between
from unlearning.core.planning.ways import Strength, Way


class Intake(StrEnum):
    """Who asked: a person or an authority, or the operator (poisoned data, expired consent)."""

    SUBJECT = "subject"
    OPERATOR = "operator"


@dataclass(frozen=True, kw_only=True)
class Case:
    """Who asked, and how many seconds are left to the internal deadline; None where none is."""

    intake: Intake = Intake.SUBJECT
    left: float | None = None


ANY_TIME = Case()


@dataclass(frozen=True, kw_only=True)
class PlanningPolicy:
    """The least that is accepted, and what may serve until it is done.

    Attributes:
        minimum: the weakest promise that closes a case.
        bridge: an approximate method may serve until an exact job is done, and no longer.
        accept_privacy: training with differential privacy counts as "no action needed".
        max_epsilon: largest epsilon of certified removal and of privacy; ``max_delta`` likewise.
        retrain_above: rebuilding more than this part of all shards gives way to a full retrain,
            whose fresh plan also resets what adaptive requests have learned.
        renewed: the ways for which that holds.
        verified: execute exact trainings a second time, without which no bits are claimed.
    """

    minimum: Strength = Strength.SAME_RECIPE
    bridge: bool = True
    accept_privacy: bool = False
    max_epsilon: float = 1.0
    max_delta: float = 1e-5
    retrain_above: float = 0.8
    renewed: frozenset[Way] = frozenset({Way.SHARD_REBUILD})
    verified: bool = True

    def __post_init__(self) -> None:
        """Refuse values that mean nothing.

        Raises:
            NotPossible: the sentence names the field, its value and what is allowed.
        """
        between("max_epsilon", self.max_epsilon)
        between("max_delta", self.max_delta, 0, 1)
        between("retrain_above", self.retrain_above, 0, 1)

    def minimum_for(self, intake: Intake) -> Strength:
        """Return the weakest promise that closes a case; an operator's is always exact."""
        if intake is Intake.OPERATOR and not self.minimum.exact:
            return Strength.SAME_RECIPE
        return self.minimum
