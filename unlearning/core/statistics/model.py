"""What every model of integer statistics can do."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, TypeVar, final

from unlearning.core.ranges import check_ranges
from unlearning.core.statistics import counters as sums
from unlearning.core.statistics.fixed_point import RECORDS, BeyondFixedPoint

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import torch
    from numpy.typing import NDArray

    from unlearning.core.statistics.counters import Counters, Integers

# Scores are written once for both: with operators that arrays and tensors share.
Array = TypeVar("Array", "NDArray[np.float64]", "torch.Tensor")


class RowsDoNotFit(ValueError):
    """Rows or targets do not have the shape or the values that the model is made for."""


@dataclass(frozen=True, kw_only=True)
class IntegerModel(ABC):
    """A model of which everything is derived from integers that forget exactly.

    A row is (columns,) integers in units of 2^-16; a target is the position of a class, or, for
    regression, (outputs,) such integers.
    """

    kind: ClassVar[str]

    columns: int
    outputs: int

    def __post_init__(self) -> None:
        """Check every ranged field.

        Raises:
            OutOfRange: one has a value that its declaration does not allow.
        """
        check_ranges(self)

    @abstractmethod
    def empty(self) -> Counters:
        """Return the statistics of no record."""

    @abstractmethod
    def added(self, counters: Counters, rows: Integers, targets: Integers) -> Counters:
        """Return the statistics with these records, too.

        Raises:
            BeyondFixedPoint: a sum would not fit.
            RowsDoNotFit: they are not what the model is made for.
        """

    @abstractmethod
    def removed(self, counters: Counters, rows: Integers, targets: Integers) -> Counters:
        """Return the statistics without these records: bit for bit those of the others alone.

        Raises:
            NeverAdded: they cannot all have been added.
            RowsDoNotFit: they are not what the model is made for.
        """

    @abstractmethod
    def weights(self, counters: Counters) -> dict[str, NDArray[np.float64]]:
        """Return what is needed to predict, derived from the statistics and nothing else."""

    @abstractmethod
    def scores(self, weights: Mapping[str, Array], rows: Array) -> Array:
        """Return a score for each output, (n, outputs), for rows (n, columns) of floats."""

    def checked(self, rows: Integers, targets: Integers) -> None:
        """Hold records to the shape of the model.

        Raises:
            RowsDoNotFit: the number of columns, of targets, or a class is another.
        """
        if rows.ndim != 2 or rows.shape[1] != self.columns:  # noqa: PLR2004  (a table)
            raise RowsDoNotFit(
                f"Rows have the shape {rows.shape}; the model takes (n, {self.columns})."
            )
        if len(targets) != len(rows):
            raise RowsDoNotFit(f"There are {len(rows)} rows and {len(targets)} targets.")
        self.check_targets(targets)

    def check_targets(self, targets: Integers) -> None:
        """Hold targets to the classes 0 .. outputs - 1.

        Raises:
            RowsDoNotFit: one is another.
        """
        if len(targets) and not 0 <= targets.min() <= targets.max() < self.outputs:
            raise RowsDoNotFit(
                f"The targets lie in {targets.min()} .. {targets.max()}; the model knows the "
                f"classes 0 .. {self.outputs - 1}."
            )


@dataclass(frozen=True, kw_only=True)
class Summed(IntegerModel, ABC):
    """A model whose statistics are sums over records of what each contributes.

    Source: the summation form of Cao and Yang, "Towards making systems forget with machine
    unlearning", IEEE S&P 2015.
    """

    @abstractmethod
    def contribution(self, rows: Integers, targets: Integers) -> Counters:
        """Return the sum over these records of what each adds; it must fit."""

    @abstractmethod
    def check_room(self, counters: Counters, rows: Integers, targets: Integers) -> None:
        """Say before records are added whether every sum will fit.

        Raises:
            BeyondFixedPoint: one would not.
        """

    @abstractmethod
    def check(self, counters: Counters) -> None:
        """Hold statistics to what some set of records has.

        Raises:
            NeverAdded: no records add up to them.
        """

    @abstractmethod
    def number(self, counters: Counters) -> int:
        """Return how many records the statistics are of."""

    @final
    def added(self, counters: Counters, rows: Integers, targets: Integers) -> Counters:
        """Return the statistics with these records, too; see the base class."""
        self.checked(rows, targets)
        if self.number(counters) + len(rows) > RECORDS:
            raise BeyondFixedPoint(f"The counters hold at most {RECORDS} records.")
        self.check_room(counters, rows, targets)
        return sums.plus(counters, self.contribution(rows, targets))

    @final
    def removed(self, counters: Counters, rows: Integers, targets: Integers) -> Counters:
        """Return the statistics of the other records alone; see the base class."""
        self.checked(rows, targets)
        self._check_gone(rows, targets)
        left = sums.minus(counters, self.contribution(rows, targets))
        self.check(left)
        return left

    def _check_gone(self, rows: Integers, targets: Integers) -> None:
        """Refuse records whose own sums do not fit: those were never added."""
        try:
            self.check_room(self.empty(), rows, targets)
        except BeyondFixedPoint as problem:
            raise sums.NeverAdded(f"{problem} Such records cannot have been added.") from problem
