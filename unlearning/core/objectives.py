"""What a search minimises, and which of its trials is the best: plain numbers, no torch."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

OBJECTIVES = ("retain", "forget", "validation", "discernible")
FAILURES_PER_TRIAL = 10  # how many settings may fail for each that shall end with a model


def closest(trials: Mapping[int, Sequence[float]]) -> int:
    """Return the number of the trial whose objectives have the smallest Euclidean norm.

    The rule of Cadet et al., EuroS&P 2025; of equals the first.
    """
    return min(trials, key=lambda number: (math.hypot(*trials[number]), number))


def named(values: Sequence[float]) -> dict[str, float]:
    """Return objectives by their names."""
    return dict(zip(OBJECTIVES, values, strict=True))
