"""What so many models can show at all, whatever comes out: computed before, or beside, a verdict.

Exact for guesses about one subject (pooled Clopper-Pearson); for the record average, Student's t
with the spread that k equally correlated records would have.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from audits.core.bounds import clopper_pearson_lower, guess_bounds
from audits.core.estimates import Power

if TYPE_CHECKING:
    from collections.abc import Callable

WANTED = 0.8
HALVINGS = 40


def guess_power(models: int, alpha: float, margin: float = 0.0) -> Power:
    """Return what guesses about one subject can show with equally many models in each arm.

    Args:
        models: judged models per arm.
        alpha: error probability of each one-sided bound.
        margin: what a leak must exceed to be a fail.
    """
    floor = float(guess_bounds(models // 2, models, models - models // 2, models, alpha).upper)
    return Power(
        smallest_bound=floor,
        detectable=_solved(lambda truth: guess_detects(models, alpha, truth, margin)),
        method="exact binomial",
    )


def guess_detects(models: int, alpha: float, truth: float, margin: float = 0.0) -> float:
    """Return the probability that the lower bound exceeds the margin if the truth is ``truth``."""
    needed = _right_to_show(models, alpha, margin)
    if needed is None:
        return 0.0
    return float(special.bdtrc(needed - 1, 2 * models, (1 + truth) / 2))


@lru_cache(maxsize=256)
def _right_to_show(models: int, alpha: float, margin: float) -> int | None:
    """Return how many of all guesses must be right for the lower bound to exceed the margin."""
    right = np.arange(2 * models + 1)
    shown = 2 * clopper_pearson_lower(right, 2 * models, alpha) - 1 > margin
    return int(right[shown][0]) if shown.any() else None


def average_power(
    models: int, alpha: float, margin: float, *, records: int, correlation: float
) -> Power:
    """Return what the record average can show with equally many models in each arm.

    Args:
        models: judged models per arm.
        alpha: error probability of each one-sided bound.
        margin: what a leak must exceed to be a fail.
        records: k, the records of the forget set.
        correlation: of two records' guesses under one model, in [0, 1].
    """
    error = average_error(models, records, correlation)
    free = 2 * (models - 1)
    reach = float(special.stdtrit(free, 1 - alpha))
    return Power(
        smallest_bound=min(1.0, reach * error),
        detectable=_solved(
            lambda truth: 1 - float(special.nctdtr(free, (truth - margin) / error, reach))
        ),
        method="Student's t with equally correlated records",
    )


def average_error(models: int, records: int, correlation: float) -> float:
    """Return the standard error of the record average where there is nothing to see."""
    share = 0.25 * (1 + (records - 1) * correlation) / records
    return math.sqrt(2 * share / models)


def correlation_of(averages: tuple[tuple[float, ...], ...], records: int) -> float:
    """Return the correlation of records that the spread of models' shares implies, in [0, 1].

    Args:
        averages: per arm, each model's share of records guessed right.
        records: k.
    """
    arms = [np.asarray(arm, np.float64) for arm in averages]
    free = sum(len(arm) - 1 for arm in arms)
    chance = float(np.concatenate(arms).mean())
    alone = chance * (1 - chance) / records
    if records == 1 or free < 1 or alone <= 0:
        return 0.0
    spread = sum(float(((arm - arm.mean()) ** 2).sum()) for arm in arms) / free
    return float(np.clip((spread / alone - 1) / (records - 1), 0.0, 1.0))


def _solved(power: Callable[[float], float]) -> float | None:
    """Return the smallest advantage that is detected as often as wanted; None where none is."""
    if power(1.0) < WANTED:
        return None
    low, high = 0.0, 1.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if power(middle) >= WANTED else (middle, high)
    return high
