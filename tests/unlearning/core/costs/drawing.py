"""Batches of requests drawn at random, and what they make void: the oracle of the closed forms."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike

DRAWS = 2000
ERRORS = 4.5  # standard errors; the chance of missing one is below 1e-5, and the seed is fixed


def drawn_fraction(shard: ArrayLike, slice_: ArrayLike, shards: int, slices: int) -> float:
    """Return the part of a full training from the first slice touched in each shard, counted."""
    first = np.full(shards, slices)
    np.minimum.at(first, np.asarray(shard, dtype=np.int64), slice_)
    stages = sum(range(1, slices + 1))
    return sum(sum(range(at + 1, slices + 1)) for at in first.tolist()) / (stages * shards)


def mean_within(draw: Callable[[np.random.Generator], float], expected: float) -> bool:
    """Return whether the mean of many draws is as near as its standard error allows."""
    rng = np.random.default_rng(20)
    found = np.array([draw(rng) for _ in range(DRAWS)])
    error = max(found.std(ddof=1) / DRAWS**0.5, 1e-12)
    return bool(abs(found.mean() - expected) <= ERRORS * error)
