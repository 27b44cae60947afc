"""Threshold attacks: one number of a prediction, against that of strangers of the same class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, TypeAlias

import numpy as np

from audits.core.attack import NothingToAttackWith, RecordAttack

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from audits.core.attack import Observations
    from audits.core.features import Outputs

    Floats: TypeAlias = NDArray[np.float64]

SMALLEST_CLASS = 10
# Each turned so that a higher value means more likely a member.
SIGNALS: dict[str, Callable[[Outputs], Floats]] = {
    "loss": lambda outputs: -outputs.loss,
    "margin": lambda outputs: outputs.margin,
    "confidence": lambda outputs: outputs.confidence,
    "entropy": lambda outputs: -outputs.entropy,
    "modified_entropy": lambda outputs: -outputs.modified_entropy,
}


class UnknownSignal(ValueError):
    """There is no such number of a prediction."""


@dataclass(frozen=True, kw_only=True)
class Threshold(RecordAttack):
    """Call members those whose loss, confidence or entropy is better than a stranger's.

    **Assumption.** The attacker has strangers. Being a member makes predictions better or surer.

    **Score.** v(x) - median of v over strangers of the same class, where ``signal`` names v:
    -loss (Yeom et al.; orders records as the label's probability does), ``margin`` (the same
    order, never saturated), ``confidence`` (log-odds of the predicted class, Salem et al.),
    -entropy, or -modified entropy (Song and Mittal), which is -(1 - p_y) log p_y - sum over
    c != y of p_c log(1 - p_c). Code that writes log p_c there measures something else. Classes
    with fewer than ten strangers use all strangers. At 0 the record stands where the median
    stranger of its class does.

    **Reference.** Yeom, Giacomelli, Fredrikson and Jha, CSF 2018; Salem et al., "ML-Leaks", NDSS
    2019; Song and Mittal, "Systematic evaluation of privacy risks of machine learning models",
    USENIX Security 2021.

    **Cost.** None beyond the outputs. The population attack combines the same signals.

    **Known failure.** It mixes membership with difficulty: an easy stranger scores above a hard
    member. Entropy and confidence do not know the label, and take a sure error for a member.
    It cannot clear a model.
    """

    title: ClassVar[str] = "Threshold"
    paper: ClassVar[str] = "Yeom et al. 2018; Salem et al. 2019; Song and Mittal 2021"
    adversary: ClassVar[str] = "reads probabilities; has strangers"
    can_pass: ClassVar[bool] = False
    reads_outputs: ClassVar[bool] = True

    signal: str = "modified_entropy"

    def __post_init__(self) -> None:
        """Refuse a signal that there is not.

        Raises:
            UnknownSignal: the sentence lists those that there are.
        """
        if self.signal not in SIGNALS:
            raise UnknownSignal(
                f"signal is {self.signal!r}; it must be one of {', '.join(SIGNALS)}."
            )

    def score(self, observations: Observations) -> Floats:
        """Return how far the signal lies above a stranger's, shape [k].

        Raises:
            NothingToAttackWith: there are no strangers.
        """
        strangers, target = observations.strangers, observations.target
        if not strangers:
            raise NothingToAttackWith("A threshold attack needs strangers.")
        read = SIGNALS[self.signal]
        usual = _usual(read(strangers), strangers.labels, target.labels)
        return np.asarray(read(target) - usual, np.float64)


def _usual(values: Floats, labels: NDArray[np.int64], asked: NDArray[np.int64]) -> Floats:
    """Return the median value of strangers for each label that is asked about."""
    found = np.full(len(asked), np.median(values))
    for label in np.unique(asked):
        alike = labels == label
        if alike.sum() >= SMALLEST_CLASS:
            found[asked == label] = np.median(values[alike])
    return found
