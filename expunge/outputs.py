"""How exactly a served model answers: the fewer digits, the less two versions tell apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

FULL, LABELS = "FULL", "LABELS"


def labels_alone(probabilities: ArrayLike) -> NDArray[np.float64]:
    """Return a 1 at the largest of each row of (n, classes) and noughts elsewhere."""
    given = np.asarray(probabilities, dtype=np.float64)
    found: NDArray[np.float64] = np.eye(given.shape[-1])[given.argmax(axis=-1)]
    return found


def rounded(probabilities: ArrayLike, decimals: int) -> NDArray[np.float64]:
    """Return probabilities to so many decimals; rows need not add up to 1.

    To repair that would tell digits that were taken away.
    """
    found: NDArray[np.float64] = np.asarray(probabilities, dtype=np.float64).round(decimals)
    return found


def told(probabilities: ArrayLike, outputs: str) -> NDArray[np.float64]:
    """Return what may leave the server under a platform's rule of outputs.

    Raises:
        ValueError: ``outputs`` is neither FULL, nor LABELS, nor a number of decimals from 1.
    """
    if outputs == FULL:
        return np.asarray(probabilities, dtype=np.float64)
    if outputs == LABELS:
        return labels_alone(probabilities)
    if not outputs.isdecimal() or int(outputs) < 1:
        raise ValueError(
            f"outputs is {outputs!r}; allowed are FULL, LABELS and a number of decimals from 1."
        )
    return rounded(probabilities, int(outputs))
