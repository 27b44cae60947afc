"""Distances between groups of models, beside what two groups of retrained models give.

Every distance between two samples is positive, though they come from one distribution, and is the
larger the smaller they are. So unlearned models are compared with one half of the retrained
models, the other half is compared with it too, and only the place of the first among the second is
reported. Groups have one size throughout, as the bias depends on it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Floats: TypeAlias = NDArray[np.float64]
    Distance: TypeAlias = Callable[[Floats, Floats], Floats]

DRAWS = 100
SMALLEST_GROUP = 4
MATRIX = 2


class TooFewToCompare(ValueError):
    """A distance between so few models would be a number without meaning."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Comparison:
    """Distances at k records beside those that retrained models have from one another.

    Attributes:
        values: unlearned from retrained models, the median over draws, shape [k].
        null: retrained from other retrained models, one row per draw, shape [draws, k].
        models: how many models each group had in every draw.
    """

    values: Floats
    null: Floats
    models: int

    @property
    def percentiles(self) -> Floats:
        """Return the place of each record's value in its null, 0 to 100, shape [k].

        Where unlearned models are like retrained ones it lies around 50 and nearer to it than
        chance alone would put it, since a median varies less than a single draw: above 95 it is
        seen less than once in twenty.
        """
        return _place(self.values, self.null)

    @property
    def average_percentile(self) -> float:
        """Return the place of the average over records, 0 to 100.

        Draws of the null share models and not only records, so that records which move together
        do not make it look surer than it is.
        """
        return float(_place(self.values.mean(keepdims=True), self.null.mean(1, keepdims=True))[0])


def beside_null(
    distance: Distance, unlearned: Floats, retrained: Floats, *, seed: int, draws: int = DRAWS
) -> Comparison:
    """Compare random halves: unlearned with retrained, and retrained with the other retrained.

    Args:
        distance: takes two groups of margins, [n, k] each, and returns a distance per record.
        unlearned: margins of k records under n unlearned models, shape [n, k].
        retrained: the same under m models trained without them, shape [m, k].
        seed: of the draws.
        draws: how many; a percentile has steps of 100 / draws.

    Raises:
        TooFewToCompare: there are fewer than four unlearned models, or eight retrained.
    """
    size = _size(unlearned, retrained)
    rng = np.random.default_rng(seed)
    observed, null = [], []
    for _ in range(draws):
        order = rng.permutation(len(retrained))
        ours, theirs = retrained[order[:size]], retrained[order[size : 2 * size]]
        chosen = rng.permutation(len(unlearned))[:size]
        observed.append(distance(unlearned[chosen], ours))
        null.append(distance(theirs, ours))
    return Comparison(values=np.median(observed, axis=0), null=np.stack(null), models=size)


def _size(unlearned: Floats, retrained: Floats) -> int:
    if unlearned.ndim != MATRIX or unlearned.shape[1:] != retrained.shape[1:]:
        raise TooFewToCompare(
            f"Margins have shapes {unlearned.shape} and {retrained.shape}; they must be [n, k] "
            f"and [m, k], of the same k records."
        )
    if len(unlearned) < SMALLEST_GROUP or len(retrained) < 2 * SMALLEST_GROUP:
        raise TooFewToCompare(
            f"not computed: there are {len(unlearned)} unlearned and {len(retrained)} retrained "
            f"models; at least {SMALLEST_GROUP} and {2 * SMALLEST_GROUP} are needed."
        )
    return min(len(unlearned), len(retrained) // 2)


def _place(values: Floats, null: Floats) -> Floats:
    return np.asarray(100 * ((null < values) + 0.5 * (null == values)).mean(0), np.float64)
