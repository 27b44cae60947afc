"""Ridge regression and least squares, from one integer matrix of sums of products."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

import numpy as np
import scipy.linalg

from unlearning.core.ranges import Range
from unlearning.core.statistics.counters import (
    Tally,
    refuse_narrowness,
    refuse_negative,
    refuse_remainders,
)
from unlearning.core.statistics.fixed_point import UNIT, check_room
from unlearning.core.statistics.model import Array, RowsDoNotFit, Summed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from unlearning.core.statistics.counters import Counters, Integers


@dataclass(frozen=True, kw_only=True)
class Ridge(Summed):
    """W, c that minimise sum |W x + c - y|^2 + penalty |W|^2; without a penalty, of least norm.

    The one counter is the Gram matrix of z = (1, x, y): its first entry is the number of records,
    its first row their sums. It is centred in integers, so nothing cancels, and factored anew
    each time: updating an inverse drifts, and stays behind when a record is gone. With
    ``classes`` a target is the position of a class, and y is one there and zero elsewhere.

    Source: Hoerl and Kennard, "Ridge regression", Technometrics 1970; the decrement follows Cao
    and Yang, IEEE S&P 2015.
    """

    kind: ClassVar[str] = "ridge"

    penalty: Annotated[float, Range(0, 1e9, help="weight of the squared norm")] = 1.0
    classes: bool = True

    def empty(self) -> Counters:
        """Return ``gram``, (1 + columns + outputs) squared, of zeros."""
        size = 1 + self.columns + self.outputs
        return {"gram": np.zeros((size, size), np.int64)}

    def contribution(self, rows: Integers, targets: Integers) -> Counters:
        """Return the sum of z z^T."""
        whole = self._whole(rows, targets)
        return {"gram": whole.T @ whole}

    def check_targets(self, targets: Integers) -> None:
        """Hold targets to the classes, or to one number for each output.

        Raises:
            RowsDoNotFit: they are not.
        """
        if self.classes:
            super().check_targets(targets)
        elif targets.shape[1:] != (self.outputs,):
            raise RowsDoNotFit(
                f"Targets have the shape {targets.shape}; the model takes (n, {self.outputs})."
            )

    def check_room(self, counters: Counters, rows: Integers, targets: Integers) -> None:
        """Refuse records with which the squares of a column or a target would not fit."""
        check_room(counters["gram"].diagonal()[1:], self._whole(rows, targets)[:, 1:])

    def check(self, counters: Counters) -> None:
        """Refuse a negative number of records, square or variance, and sums of no records."""
        gram = counters["gram"]
        squares = gram.diagonal()
        inputs, outputs = squares[1 : 1 + self.columns], squares[1 + self.columns :]
        group = "class" if self.classes else "output"
        refuse_negative(
            (
                Tally(label="The number of records", values=squares[:1]),
                Tally(label="The sum of squares of column {0}", values=inputs),
                Tally(label=f"The sum of squares of {group} {{0}}", values=outputs),
            )
        )
        refuse_remainders(squares[:1], gram[None], "The model")
        label = f"Number {{1}} of (1, columns, {'classes' if self.classes else 'outputs'})"
        refuse_narrowness(squares[:1], gram[:1], squares[None], label)

    def number(self, counters: Counters) -> int:
        """Return how many records the statistics are of."""
        return int(counters["gram"][0, 0])

    def weights(self, counters: Counters) -> dict[str, NDArray[np.float64]]:
        """Return ``slope``, (columns, outputs), and ``intercept``, (outputs,)."""
        gram = counters["gram"].astype(object)
        records = max(1, int(gram[0, 0]))
        centred = records * gram[1:, 1:] - np.outer(gram[0, 1:], gram[0, 1:])
        products = np.asarray(centred / (records * UNIT**2), dtype=np.float64)
        means = np.asarray(gram[0, 1:] / (records * UNIT), dtype=np.float64)
        left, right = (
            products[: self.columns, : self.columns],
            products[: self.columns, self.columns :],
        )
        slope = self._solved(left, right)
        return {
            "slope": slope,
            "intercept": means[self.columns :] - means[: self.columns] @ slope,
        }

    def scores(self, weights: Mapping[str, Array], rows: Array) -> Array:
        """Return predictions, (n, outputs)."""
        found: Array = rows @ weights["slope"] + weights["intercept"]
        return found

    def _solved(
        self, left: NDArray[np.float64], right: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        if self.penalty:
            penalised = left + self.penalty * np.eye(self.columns)
            return np.asarray(scipy.linalg.solve(penalised, right, assume_a="pos"))
        return np.asarray(scipy.linalg.lstsq(left, right)[0])

    def _whole(self, rows: Integers, targets: Integers) -> Integers:
        """Return z for each record, (n, 1 + columns + outputs)."""
        wanted = UNIT * np.eye(self.outputs, dtype=np.int64)[targets] if self.classes else targets
        return np.hstack([np.ones((len(rows), 1), np.int64), rows, wanted])
