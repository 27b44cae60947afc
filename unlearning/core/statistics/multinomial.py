"""Naive Bayes on counts or on categories, from sums per class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

import numpy as np

from unlearning.core.ranges import Range
from unlearning.core.statistics.counters import Tally, refuse_negative, refuse_remainders
from unlearning.core.statistics.fixed_point import real
from unlearning.core.statistics.model import Array, RowsDoNotFit, Summed
from unlearning.core.statistics.priors import log_prior

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from unlearning.core.statistics.counters import Counters, Integers


@dataclass(frozen=True, kw_only=True)
class MultinomialBayes(Summed):
    """log p(class) + sum over columns of x_j log p(j | class), with additive smoothing.

    ``groups`` are the widths of runs of columns that each hold one distribution, p summing to one
    over each. By default all columns are one group, which is the multinomial model (words in a
    text); with one group for each category, its columns ones and zeros, it is the categorical one.

    Source: Manning, Raghavan and Schuetze, "Introduction to information retrieval", 2008, ch. 13.
    """

    kind: ClassVar[str] = "multinomial"

    smoothing: Annotated[
        float, Range(1e-9, 1e3, log=True, help="added to the sum of every column")
    ] = 1.0
    groups: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        """Check the fields.

        Raises:
            OutOfRange: a number is outside its range.
            RowsDoNotFit: the groups are not those of the columns.
        """
        super().__post_init__()
        if self.groups and (sum(self.groups) != self.columns or min(self.groups) < 1):
            raise RowsDoNotFit(
                f"MultinomialBayes.groups has the widths {self.groups}, which must each be at "
                f"least 1 and together be {self.columns}, the number of columns."
            )

    def empty(self) -> Counters:
        """Return ``records``, (classes,), and ``totals``, (classes, columns), of zeros."""
        return {
            "records": np.zeros(self.outputs, np.int64),
            "totals": np.zeros((self.outputs, self.columns), np.int64),
        }

    def contribution(self, rows: Integers, targets: Integers) -> Counters:
        """Return the number of records, and the sum of the rows, of each class."""
        found = self.empty()
        np.add.at(found["records"], targets, 1)
        np.add.at(found["totals"], targets, rows)
        return found

    def check_room(self, counters: Counters, rows: Integers, targets: Integers) -> None:
        """Do nothing: 2^31 numbers below 2^31 units always fit."""

    def checked(self, rows: Integers, targets: Integers) -> None:
        """Hold records to the shape of the model, and to numbers that count something.

        Raises:
            RowsDoNotFit: there is a negative number, or the shape is another.
        """
        super().checked(rows, targets)
        if (rows < 0).any():
            column = int(np.argwhere(rows < 0)[0][1])
            raise RowsDoNotFit(
                f"Negative values in data passed to naive Bayes on counts: column {column} holds "
                f"one, and must hold counts or shares."
            )

    def check(self, counters: Counters) -> None:
        """Refuse negative sums, and sums of a class without records."""
        records, totals = counters["records"], counters["totals"]
        refuse_negative(
            (
                Tally(label="The number of records of class {0}", values=records),
                Tally(label="The sum of column {1} in class {0}", values=totals),
            )
        )
        refuse_remainders(records, totals, "Class {0}")

    def number(self, counters: Counters) -> int:
        """Return how many records the statistics are of."""
        return int(counters["records"].sum())

    def weights(self, counters: Counters) -> dict[str, NDArray[np.float64]]:
        """Return ``log_share``, (columns, classes), and ``log_prior``, (classes,)."""
        totals = real(counters["totals"]) + self.smoothing
        edges = np.cumsum((0, *(self.groups or (self.columns,))))[:-1]
        widths = np.asarray(self.groups or (self.columns,))
        whole = real(np.add.reduceat(counters["totals"], edges, axis=1)) + self.smoothing * widths
        share = np.log(totals) - np.log(np.repeat(whole, widths, axis=1))
        return {
            "log_share": np.ascontiguousarray(share.T),
            "log_prior": log_prior(counters["records"]),
        }

    def scores(self, weights: Mapping[str, Array], rows: Array) -> Array:
        """Return joint log-likelihoods up to a constant of the row, (n, classes)."""
        found: Array = rows @ weights["log_share"] + weights["log_prior"]
        return found
