"""What going back to a saved state and replaying costs where a training has no slices.

The unit is one full training. Between two saved states half the distance is lost on average.
"""

from __future__ import annotations

import numpy as np

from unlearning.core.costs.checks import between, whole

_GRID = 4001  # points of the integral; its error is below 1e-5 for scales of 0.01 and more


def shuffled_fraction(epochs: int, records: int, *, spacing: float = 0.0) -> float:
    """Return the expected part to replay where every epoch visits all records, shuffled.

    The first use of K records lies at 1 / (K + 1) of the first epoch on average: what is left to
    replay is 1 - 1 / (E (K + 1)), which is nearly everything unless there is one epoch.

    Args:
        epochs: E.
        records: K, to be erased.
        spacing: distance of saved states as a part of the training.

    Raises:
        NotPossible: a number is out of range.
    """
    whole("epochs", epochs)
    whole("records", records)
    between("spacing", spacing, 0, 1)
    return min(1.0, 1 - 1 / (epochs * (records + 1)) + spacing / 2)


def continual_fraction(scale: float, records: int, *, spacing: float = 0.0) -> float:
    """Return the expected part to replay where records come in the order of their age, once.

    The probability that a record is erased falls exponentially with how long before the end it
    was used, with ``scale`` as a part of the training; the oldest of K decides.

    Raises:
        NotPossible: a number is out of range.
    """
    between("scale", scale, 0.01)
    whole("records", records)
    between("spacing", spacing, 0, 1)
    age = np.linspace(0, 1, _GRID)
    below = np.expm1(-age / scale) / np.expm1(-1 / scale)
    return min(1.0, float(np.trapezoid(1 - below**records, age)) + spacing / 2)
