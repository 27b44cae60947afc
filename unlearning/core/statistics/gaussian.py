"""Naive Bayes with one normal density per class and column, from sums and sums of squares."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

import numpy as np

from unlearning.core.ranges import Range
from unlearning.core.statistics.counters import (
    Tally,
    refuse_narrowness,
    refuse_negative,
    refuse_remainders,
    spread,
)
from unlearning.core.statistics.fixed_point import UNIT, check_room, real
from unlearning.core.statistics.model import Array, Summed
from unlearning.core.statistics.priors import log_prior

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from unlearning.core.statistics.counters import Counters, Integers


@dataclass(frozen=True, kw_only=True)
class GaussianBayes(Summed):
    """log p(class) + sum over columns of a normal log-density with the class's mean and variance.

    The variance is the difference of two large numbers; as both are integers, it is exact and not
    what rounding left of it. To each is added ``smoothing`` times the largest variance of a
    column over all records, as scikit-learn does.
    """

    kind: ClassVar[str] = "gaussian"

    smoothing: Annotated[
        float, Range(1e-12, 1.0, log=True, help="share of the largest variance added to each")
    ] = 1e-9

    def empty(self) -> Counters:
        """Return ``records``, (classes,), ``sums`` and ``squares``, (classes, columns)."""
        shape = (self.outputs, self.columns)
        return {
            "records": np.zeros(self.outputs, np.int64),
            "sums": np.zeros(shape, np.int64),
            "squares": np.zeros(shape, np.int64),
        }

    def contribution(self, rows: Integers, targets: Integers) -> Counters:
        """Return number, sum and sum of squares of the rows of each class."""
        found = self.empty()
        np.add.at(found["records"], targets, 1)
        np.add.at(found["sums"], targets, rows)
        np.add.at(found["squares"], targets, rows * rows)
        return found

    def check_room(self, counters: Counters, rows: Integers, targets: Integers) -> None:  # noqa: ARG002
        """Refuse rows with which the squares of a column would not fit."""
        check_room(counters["squares"].sum(axis=0), rows)

    def check(self, counters: Counters) -> None:
        """Refuse negative counts, squares and variances, and sums of a class without records."""
        records, sums, squares = (counters[name] for name in ("records", "sums", "squares"))
        refuse_negative(
            (
                Tally(label="The number of records of class {0}", values=records),
                Tally(label="The sum of squares of column {1} in class {0}", values=squares),
            )
        )
        refuse_remainders(records, sums, "Class {0}")
        refuse_remainders(records, squares, "Class {0}")
        refuse_narrowness(records, sums, squares, "Column {1} in class {0}")

    def number(self, counters: Counters) -> int:
        """Return how many records the statistics are of."""
        return int(counters["records"].sum())

    def weights(self, counters: Counters) -> dict[str, NDArray[np.float64]]:
        """Return ``mean`` and ``precision``, (classes, columns), and ``offset``, (classes,)."""
        records, sums, squares = (counters[name] for name in ("records", "sums", "squares"))
        total = np.asarray([records.sum()])
        overall = _variance(total, sums.sum(axis=0)[None], squares.sum(axis=0)[None])
        added = self.smoothing * overall.max(initial=0.0)
        variance = _variance(records, sums, squares) + (added or self.smoothing)
        logs = np.log(2 * math.pi * variance).sum(axis=1)
        return {
            "mean": real(sums) / np.maximum(records, 1)[:, None],
            "precision": 1 / variance,
            "offset": log_prior(records) - logs / 2,
        }

    def scores(self, weights: Mapping[str, Array], rows: Array) -> Array:
        """Return log p(class) + log p(row | class), (n, classes)."""
        away = rows[:, None] - weights["mean"]
        found: Array = weights["offset"] - 0.5 * (away * away * weights["precision"]).sum(-1)
        return found


def _variance(records: Integers, sums: Integers, squares: Integers) -> NDArray[np.float64]:
    """Return the population variances, (groups, columns), each rounded once; 0 without records."""
    wide = spread(records[:, None], sums, squares)
    scale = np.maximum(records, 1).astype(object)[:, None] ** 2 * UNIT**2
    return np.asarray(wide / scale, dtype=np.float64)
