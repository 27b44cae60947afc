"""What attacks are, by kind: on records, on canaries, and comparisons of two groups of models.

A higher score means more likely a member in all of them. Attacks on records may decide a case.
Those on canaries may raise a fail and never clear a model: they look at records that were planted,
not at those to be erased. Comparisons describe, and are shown beside what honest retraining gives.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, TypeAlias

from audits.core.comparison import DRAWS, Comparison, beside_null
from audits.core.shadow_scores import ScoresRefused

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from audits.core.features import Outputs

    Floats: TypeAlias = NDArray[np.float64]
    Flags: TypeAlias = NDArray[np.bool_]


class NothingToAttackWith(ValueError):
    """The attacker lacks what this attack needs."""


@dataclass(frozen=True, kw_only=True, eq=False)
class References:
    """What shadow models of one arm gave for the questioned records, in the order of training.

    Attributes:
        margins: of the k questioned records, [n, k].
        neighbours: of q shifted or noised copies of each, [n, k, q].
        earlier: of the questioned records before these models were unlearned, [n, k].
        strangers: of the p strangers of the observations, which no shadow model learned, [n, p].
    """

    margins: Floats
    neighbours: Floats | None = None
    earlier: Floats | None = None
    strangers: Floats | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Observations:
    """What an attacker may look at; an attack uses what it needs.

    Attributes:
        target: outputs of the attacked model on the k questioned records.
        earlier: outputs of the version before it, on the same records.
        neighbours: margins of the attacked model on q copies of each questioned record, [k, q].
        members: its outputs on records known to be in the training data.
        strangers: its outputs on p records known not to be.
        learned: shadow models that learned the questioned records, and unlearned them if the
            attacked model did.
        never_saw: shadow models that went through the same without ever seeing them.
    """

    target: Outputs
    earlier: Outputs | None = None
    neighbours: Floats | None = None
    members: Outputs | None = None
    strangers: Outputs | None = None
    learned: References | None = None
    never_saw: References | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class PlantedScores:
    """Scores of m canaries, which were planted to be measured; higher = member, shape [m].

    Attributes:
        after: under the model whose erasure is questioned; NaN where a canary has no score.
        before: under the model before it. The positive control: an attack that saw nothing there
            says nothing by seeing nothing here.
        included: which canaries a fair coin put into the training data; None, where all were.
    """

    after: Floats
    before: Floats | None = None
    included: Flags | None = None

    def __post_init__(self) -> None:
        """Check the shapes.

        Raises:
            ScoresRefused: the sentence names the field and both shapes.
        """
        for name, given in (("before", self.before), ("included", self.included)):
            if given is not None and (given.shape != self.after.shape or self.after.ndim != 1):
                raise ScoresRefused(
                    f"{name} has shape {given.shape} and after {self.after.shape}; both must "
                    f"have one entry per canary."
                )


@dataclass(frozen=True, kw_only=True)
class CanaryFinding:
    """What canaries tell; a small ``p_value`` shows a trace, a large one shows nothing.

    Attributes:
        canaries: how many of them counted.
        statistic: in the unit that the attack's docstring states.
        p_value: of the hypothesis that nothing (or no more than is accepted) is left.
        control: the same p-value before the erasure, or None; small where the attack works.
    """

    canaries: int
    statistic: float
    p_value: float
    control: float | None = None


@dataclass(frozen=True, kw_only=True)
class Attack(ABC):
    """An attack whose fields are its settings.

    A subclass of one of the three kinds below is a frozen dataclass in a file of its own, and the
    file's name is its name.

    Attributes:
        title: the name that people read.
        paper: where the attack comes from.
        adversary: what somebody must know and be able to do.
        can_pass: whether it may clear a model: only what is calibrated per record on both arms.
    """

    title: ClassVar[str]
    paper: ClassVar[str]
    adversary: ClassVar[str]
    can_pass: ClassVar[bool]


@dataclass(frozen=True, kw_only=True)
class RecordAttack(Attack):
    """A membership attack on the questioned records themselves.

    Attributes:
        is_ratio: given shadow models of both arms, the score is the log-likelihood ratio of
            "learned" over "never saw", so that zero is the threshold.
        burn_in: shadow models of each arm without which it has nothing to go by.
        reads_outputs: it reads more of a prediction than the margin of the label.
        reads_copies: it is about records of which copies were made, and needs their margins.
        compares_versions: it needs the version before as well. What it tells is what keeping both
            versions gives away; a perfect retraining is told too, so it never judges an erasure.
    """

    is_ratio: ClassVar[bool] = False
    burn_in: ClassVar[int] = 0
    reads_outputs: ClassVar[bool] = False
    reads_copies: ClassVar[bool] = False
    compares_versions: ClassVar[bool] = False

    @abstractmethod
    def score(self, observations: Observations) -> Floats:
        """Return one score per questioned record, shape [k]; higher = member.

        Raises:
            NothingToAttackWith: the sentence names what is missing.
        """


@dataclass(frozen=True, kw_only=True)
class CanaryAttack(Attack):
    """An attack on canaries that were planted before training. It can raise a fail, no more."""

    can_pass: ClassVar[bool] = False

    @abstractmethod
    def examine(self, planted: PlantedScores) -> CanaryFinding:
        """Say what the canaries tell of the erasure.

        Raises:
            NothingToAttackWith: the sentence names what is missing.
        """


@dataclass(frozen=True, kw_only=True)
class ModelComparison(Attack):
    """A distance between unlearned and retrained models at each record. It decides nothing."""

    can_pass: ClassVar[bool] = False

    @abstractmethod
    def distance(self, unlearned: Floats, retrained: Floats) -> Floats:
        """Return how far apart two groups of models are at each record, shape [k].

        Alone the number means nothing: it is biased upwards, the more so the fewer the models.

        Args:
            unlearned: margins of the k records, shape [n, k].
            retrained: the same under models trained without them, shape [m, k].
        """

    def compare(
        self, unlearned: Floats, retrained: Floats, *, seed: int, draws: int = DRAWS
    ) -> Comparison:
        """Return the distances beside those of retrained from retrained models; margins [n, k].

        Raises:
            TooFewToCompare: there are too few models of a group; the sentence says how many.
        """
        return beside_null(self.distance, unlearned, retrained, seed=seed, draws=draws)
