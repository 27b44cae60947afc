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
class Observations:
    """What an attacker may look at; an attack uses what it needs.

    Attributes:
        target: outputs of the attacked model on the k questioned records.
        members: its outputs on records known to be in the training data.
        strangers: its outputs on records known not to be.
        learned: margins of the questioned records under shadow models that learned them, [n, k].
        never_saw: the same under shadow models that did not, [m, k].
    """

    target: Outputs
    members: Outputs | None = None
    strangers: Outputs | None = None
    learned: Floats | None = None
    never_saw: Floats | None = None


@dataclass(frozen=True, kw_only=True)
class Attack(ABC):
    """A membership attack whose fields are its settings.

    A subclass is a frozen dataclass in a file of its own, and the file's name is its name.
    """

    title: ClassVar[str]
    paper: ClassVar[str]
    adversary: ClassVar[str]
    can_pass: ClassVar[bool]

    @abstractmethod
    def score(self, observations: Observations) -> Floats:
        """Return one score per questioned record, shape [k]; higher = member.

        Raises:
            NothingToAttackWith: the sentence names what is missing.
        """
