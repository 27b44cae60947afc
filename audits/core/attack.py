"""The contract every membership attack keeps: a higher score means more likely a member."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from audits.core.features import Outputs

    Floats: TypeAlias = NDArray[np.float64]


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


@dataclass(frozen=True, kw_only=True)
class Attack(ABC):
    """A membership attack whose fields are its settings.

    A subclass is a frozen dataclass in a file of its own, and the file's name is its name.

    Attributes:
        title: the name that people read.
        paper: where the attack comes from.
        adversary: what somebody must know and be able to do.
        can_pass: whether it may clear a model: only what is calibrated per record on both arms.
        is_ratio: given shadow models of both arms, the score is the log-likelihood ratio of
            "learned" over "never saw", so that zero is the threshold.
        burn_in: shadow models of each arm without which it has nothing to go by.
        reads_outputs: it reads more of a prediction than the margin of the label.
        compares_versions: it needs the version before as well. What it tells is what keeping both
            versions gives away; a perfect retraining is told too, so it never judges an erasure.
    """

    title: ClassVar[str]
    paper: ClassVar[str]
    adversary: ClassVar[str]
    can_pass: ClassVar[bool]
    is_ratio: ClassVar[bool] = False
    burn_in: ClassVar[int] = 0
    reads_outputs: ClassVar[bool] = False
    compares_versions: ClassVar[bool] = False

    @abstractmethod
    def score(self, observations: Observations) -> Floats:
        """Return one score per questioned record, shape [k]; higher = member.

        Raises:
            NothingToAttackWith: the sentence names what is missing.
        """
