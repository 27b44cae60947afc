"""How exactly a served model answers: the fewer digits, the less two versions tell apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from expunge.outputs import labels_alone, rounded
from unlearning.core.costs.checks import whole

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, kw_only=True)
class OutputRule:
    """Probabilities to so many ``decimals``; None gives the label alone."""

    decimals: int | None = 2

    def __post_init__(self) -> None:
        """Refuse a number of digits that cannot be.

        Raises:
            NotPossible: ``decimals`` is no whole number of at least 1.
        """
        if self.decimals is not None:
            whole("decimals", self.decimals)

    def apply(self, probabilities: ArrayLike) -> NDArray[np.float64]:
        """Return what may leave the server of probabilities (n, classes), in the same shape.

        Labels are told as one 1 among zeros. Rounded rows need not add up to 1: to repair that
        would tell digits that were taken away.
        """
        if self.decimals is None:
            return labels_alone(probabilities)
        return rounded(probabilities, self.decimals)
