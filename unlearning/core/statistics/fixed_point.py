"""Numbers as whole multiples of 2^-16, so that sums do not depend on their order.

A sum of floats rounds at every step: adding a record and taking it away again does not lead back.
Sums of integers do, bit for bit, as long as they fit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

UNIT = 1 << 16
LIMIT = 1 << 15  # a number is smaller than this, so its square in units is below 2^62
ROOM = float(1 << 62)  # what the sum of the squares of a column may reach, in units of 2^-32
RECORDS = 1 << 31


class BeyondFixedPoint(ValueError):
    """A number, or a sum, does not fit into the integers that hold it."""


def quantised(values: ArrayLike, what: str = "column") -> NDArray[np.int64]:
    """Return numbers (n, columns) as the nearest multiples of 2^-16, counted in units of 2^-16.

    Raises:
        BeyondFixedPoint: a number is not finite, or not below 32768 in size.
    """
    numbers = np.asarray(values, dtype=np.float64)
    fits = np.isfinite(numbers) & (np.abs(numbers) < LIMIT)
    if not fits.all():
        column = int(np.argwhere(~fits)[0][-1])
        raise BeyondFixedPoint(
            f"The {what} {column} holds a number that is infinite, not a number, or not below "
            f"{LIMIT} in size; multiply the {what} by a constant that is not taken from the data."
        )
    return np.rint(numbers * UNIT).astype(np.int64)


def real(units: NDArray[Any]) -> NDArray[np.float64]:
    """Return the numbers that quantised ones stand for."""
    return np.asarray(units, dtype=np.float64) / UNIT


def check_room(squares: NDArray[np.int64], rows: NDArray[np.int64]) -> None:
    """Say before rows (n, columns) are added whether all sums of products will fit.

    ``squares``, (columns,), holds the sums of squares so far. By the Cauchy-Schwarz inequality no
    sum of products of two columns is larger than the larger of their sums of squares.

    Raises:
        BeyondFixedPoint: that of a column could pass 2^62, which is 2^30 in squared units of the
            data: for values below 1 that is a thousand million records, for values of 1000 it is
            a thousand.
    """
    # Floats are good enough here: the margin to 2^63 is a factor of two.
    total = squares.astype(np.float64) + np.square(rows.astype(np.float64)).sum(axis=0)
    if (total >= ROOM).any():
        column = int(total.argmax())
        raise BeyondFixedPoint(
            f"The sum of the squares of column {column} would pass 2^30, which is what its "
            f"counter holds; multiply the column by a constant below 1 that is not taken from "
            f"the data."
        )
