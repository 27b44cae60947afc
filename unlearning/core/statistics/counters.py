"""Arithmetic on named integer sums, and what no sums over records can be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    Integers: TypeAlias = NDArray[np.int64]
    Counters: TypeAlias = dict[str, Integers]


class NeverAdded(ValueError):
    """A record was to be removed that cannot have been added."""


@dataclass(frozen=True, kw_only=True)
class Tally:
    """Sums that cannot be negative; ``label`` names one of them, with ``{0}`` for its index."""

    label: str
    values: Integers


def plus(counters: Counters, more: Counters) -> Counters:
    """Return the sums over both."""
    return {name: total + more[name] for name, total in counters.items()}


def minus(counters: Counters, less: Counters) -> Counters:
    """Return the sums over what is left."""
    return {name: total - less[name] for name, total in counters.items()}


def refuse_negative(tallies: Iterable[Tally]) -> None:
    """Hold sums to what records can add up to.

    Raises:
        NeverAdded: one is below zero; the sentence names it.
    """
    for tally in tallies:
        below = np.argwhere(tally.values < 0)
        if len(below):
            where = tally.label.format(*below[0])
            raise NeverAdded(
                f"{where} would fall to {tally.values[tuple(below[0])]}, so a record was to be "
                f"removed that was never added; nothing was removed."
            )


def refuse_remainders(counts: Integers, sums: Integers, label: str) -> None:
    """Hold the sums (groups, ...) of a group without records to zero.

    Raises:
        NeverAdded: something is left; ``label`` names the group, with ``{0}`` for its index.
    """
    left = np.abs(sums.reshape(len(counts), -1)).max(axis=1, initial=0)
    stranded = np.flatnonzero((counts == 0) & (left > 0))
    if len(stranded):
        raise NeverAdded(
            f"{label.format(stranded[0])} would have no record left and sums that are not zero, "
            f"so the records to be removed are not those that were added; nothing was removed."
        )


def refuse_narrowness(counts: Integers, sums: Integers, squares: Integers, label: str) -> None:
    """Hold sums and sums of squares, (groups, columns), to what numbers can have in common.

    Raises:
        NeverAdded: a variance would be negative; ``label`` has ``{0}`` group and ``{1}`` column.
    """
    short = np.argwhere(spread(counts[:, None], sums, squares) < 0)
    if len(short):
        raise NeverAdded(
            f"{label.format(*short[0])} would have a negative variance, so the records to be "
            f"removed are not those that were added; nothing was removed."
        )


def spread(counts: Integers, sums: Integers, squares: Integers) -> NDArray[np.object_]:
    """Return counts * squares - sums^2 without overflow or rounding, as Python's integers.

    It is the variance times the square of the count, in units of the product.
    """
    return np.asarray(counts.astype(object) * squares.astype(object) - sums.astype(object) ** 2)
