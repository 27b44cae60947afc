"""What an audit measured: values only, with no numerical code, so that any layer may hold them.

An *advantage* is TPR - FPR of an attack, in [0, 1]: 0 is a coin toss, 1 is always right. The
attack is right ``50 + 50 * advantage`` per cent of the time. Bounds are one-sided.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class Level(StrEnum):
    """About whom a bound speaks."""

    RECORD_AVERAGE = "record_average"
    SUBJECT = "subject"
    WORST_RECORD = "worst_record"
    WHOLE_SET = "whole_set"

    @property
    def words(self) -> str:
        """Return the level as it is written in a sentence."""
        return self.value.replace("_", " ")


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """An advantage with its bounds; ``n_in`` and ``n_out`` count judged models, never records.

    Two more upper bounds are stored and shown, and decide nothing. ``model_based_upper`` assumes
    Gaussian scores; None where its assumptions do not hold. ``best_threshold_upper`` assumes
    nothing and speaks of every threshold on the attack's score, not of the one that it used.
    """

    estimate: float
    lower: float
    upper: float
    method: str
    unit: str
    n_in: int
    n_out: int
    model_based_upper: float | None = None
    best_threshold_upper: float | None = None


@dataclass(frozen=True, kw_only=True)
class Power:
    """What so many models can show at all.

    Attributes:
        smallest_bound: the lowest upper bound that models which leak nothing can be expected to
            get: a margin below it cannot be passed.
        detectable: the smallest advantage that exceeds the margin visibly in 80 % of audits; None
            where not even a perfect attack's would, or where it was not computed.
        method: how both were found.
    """

    smallest_bound: float
    detectable: float | None
    method: str


@dataclass(frozen=True, kw_only=True)
class Contrast:
    """One comparison of two arms of models at every level.

    ``subject`` is the worst of the subjects; ``whole_set`` is None where there is one, whose set
    is the whole.
    """

    record_average: Estimate
    subject: Estimate
    worst_record: Estimate
    whole_set: Estimate | None = None

    def at(self, level: Level) -> Estimate:
        """Return the estimate at one level; the subject's for the whole set of one subject."""
        found: Estimate | None = getattr(self, level.value)
        return self.subject if found is None else found

    def levels(self) -> tuple[tuple[Level, Estimate], ...]:
        """Return every level that is not another one under a second name, with its estimate."""
        return tuple(
            (level, self.at(level)) for level in Level if getattr(self, level.value) is not None
        )

    @property
    def models_per_arm(self) -> int:
        """Return the size of the smaller arm."""
        return min(self.subject.n_in, self.subject.n_out)


@dataclass(frozen=True, kw_only=True)
class Utility:
    """Mean accuracies, in [0, 1], of unlearned models and of models that never saw the records."""

    reference_retained: float
    unlearned_retained: float
    reference_test: float
    unlearned_test: float


@dataclass(frozen=True, kw_only=True)
class InstanceTest:
    """One statistic per never-seen model and the deployed model's; none of them names a record."""

    never_seen: tuple[float, ...]
    deployed: float

    @property
    def p_value(self) -> float:
        """Return (1 + number at least as extreme) / (n + 1): exact under exchangeability."""
        extreme = sum(value >= self.deployed for value in self.never_seen)
        return (1 + extreme) / (len(self.never_seen) + 1)


@dataclass(frozen=True, kw_only=True)
class Hypothesis:
    """One hypothesis, "the advantage is at most the margin", and the evidence against it.

    Attributes:
        level: about whom it speaks.
        part: which subject, under a random number from 1; 0 where there is only one.
        p: its p-value; at any stopping time in a sequential audit.
        found: the estimate with its bounds.
    """

    level: Level
    part: int = 0
    p: float
    found: Estimate


@dataclass(frozen=True, kw_only=True)
class Measurements:
    """All that a verdict is decided from.

    Attributes:
        alpha: the error probability of each one-sided bound at this look.
        before: trained with the records against never seen, before unlearning.
        leak: the same arms after unlearning; the privacy claim.
        equivalence: unlearned against retrained; None where nothing was retrained.
        utility: None where no accuracy was measured.
        findings: sentences about a broken experiment; any of them makes it invalid.
        instance_p: p-value of the deployed model itself; None where it was not tested.
        can_pass: False for an attack that must never clear a model.
        hypotheses: what a fail is corrected over (Holm) where there are several attacks or
            subjects; empty where it was measured without a policy.
        attempt: the number of this audit among those of the same version and records.
        spent: whether earlier attempts left nothing of the error that a pass may have.
        debt: what earlier attempts lost, see ``Kept``.
        least_seen: the smallest lower bound on what the attack saw of a subject before unlearning;
            None where there is one subject, whose bound is that of ``before``.
        power: what the number of models can show, by level.
    """

    alpha: float
    before: Contrast
    leak: Contrast
    equivalence: Contrast | None = None
    utility: Utility | None = None
    findings: tuple[str, ...] = ()
    instance_p: float | None = None
    can_pass: bool = True
    hypotheses: tuple[Hypothesis, ...] = ()
    attempt: int = 1
    spent: bool = False
    debt: float = 0.0
    least_seen: float | None = None
    power: Mapping[Level, Power] = field(default_factory=dict)

    def seen(self, level: Level) -> float:
        """Return how much the attack is known to have seen of everybody at a level before.

        A pass for the worst of several subjects is one for each, so each must have been seen. An
        intersection-union test: every bound is made at the full error.
        """
        if level is Level.SUBJECT and self.least_seen is not None:
            return self.least_seen
        return self.before.at(level).lower
