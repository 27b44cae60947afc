"""What an audit measured: values only, with no numerical code, so that any layer may hold them.

An *advantage* is TPR - FPR of an attack, in [0, 1]: 0 is a coin toss, 1 is always right. The
attack is right ``50 + 50 * advantage`` per cent of the time. Bounds are one-sided.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """About whom a bound speaks."""

    RECORD_AVERAGE = "record_average"
    SUBJECT = "subject"
    WORST_RECORD = "worst_record"

    @property
    def words(self) -> str:
        """Return the level as it is written in a sentence."""
        return self.value.replace("_", " ")


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """An advantage with its bounds; ``n_in`` and ``n_out`` count judged models, never records.

    ``model_based_upper`` assumes Gaussian scores. It is stored and shown, and decides nothing;
    None where its assumptions do not hold.
    """

    estimate: float
    lower: float
    upper: float
    method: str
    unit: str
    n_in: int
    n_out: int
    model_based_upper: float | None = None


@dataclass(frozen=True, kw_only=True)
class Contrast:
    """One comparison of two arms of models at every level."""

    record_average: Estimate
    subject: Estimate
    worst_record: Estimate

    def at(self, level: Level) -> Estimate:
        """Return the estimate at one level."""
        found: Estimate = getattr(self, level.value)
        return found

    def levels(self) -> tuple[tuple[Level, Estimate], ...]:
        """Return every level with its estimate."""
        return tuple((level, self.at(level)) for level in Level)

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
    """

    alpha: float
    before: Contrast
    leak: Contrast
    equivalence: Contrast | None = None
    utility: Utility | None = None
    findings: tuple[str, ...] = ()
    instance_p: float | None = None
    can_pass: bool = True
