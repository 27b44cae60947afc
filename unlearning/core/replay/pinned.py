"""A training set in which erased records keep their number and lose everything else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from unlearning.core.examples import Held, count, held
from unlearning.core.order import Remainder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from unlearning.core.examples import Examples, Pair
    from unlearning.core.order import Plan


class HoleRead(LookupError):
    """An erased record was asked for by its number."""


class WrongSize(ValueError):
    """The retained records are not as many as the numbers that are no holes."""


class Pinned(Held):
    """Records numbered 0..size-1 as when training began, of which some are gone.

    Only the retained records are held, in the order of their numbers. It is as long as it was, so
    that every plan is drawn as it was; a batch is what is left of it. ``looked`` says whether the
    set was read otherwise than by steps of training: what is fitted that way depends on every
    record.
    """

    def __init__(self, retain: Examples, *, size: int, holes: Iterable[int] = ()) -> None:
        """Pin the retained records to the numbers that are no ``holes``.

        Raises:
            WrongSize: their count is not ``size`` less the holes, or a hole lies outside.
        """
        self._kept = held(retain)
        self.size = size
        self.holes = frozenset(holes)
        self.looked = False
        outside = [hole for hole in self.holes if not 0 <= hole < size]
        if outside or count(self._kept) != size - len(self.holes):
            raise WrongSize(
                f"There are {count(self._kept)} retained records and {len(self.holes)} holes "
                f"({len(outside)} of them outside), and both together must be the {size} numbers "
                f"0 to {size - 1}."
            )
        self._places = np.full(size, -1, dtype=np.int64)
        numbers = np.setdiff1d(np.arange(size), np.fromiter(self.holes, dtype=np.int64))
        self._places[numbers] = np.arange(len(numbers))

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, index: int) -> Pair:
        self.looked = True
        place = int(self._places[index])
        if place < 0:
            raise HoleRead(f"Record {index} of {self.size} is erased; only its number is left.")
        return self._kept[place]

    def all(self) -> Pair:
        """Return every retained input and target, in the order of their numbers."""
        self.looked = True
        return self._kept.all()

    def batches(self, steps: Iterable[Sequence[int]], workers: int = 0) -> Iterator[Pair | None]:
        """Yield what is left of the batch of each step, None for nothing."""
        self.looked = True
        return self._kept.batches(self._placed(steps), workers)

    def visits(self, plan: Plan, first: int = 0, workers: int = 0) -> Iterator[Pair | None]:
        """Yield what is left of the batch of each step of a plan from ``first`` on."""
        return self._kept.batches(self._placed(Remainder(plan=plan, first=first)), workers)

    def _placed(self, steps: Iterable[Sequence[int]]) -> Iterable[Sequence[int]]:
        return _Placed(steps, self._places) if self.holes else steps

    def retained(self) -> Held:
        """Return the retained records by themselves."""
        return self._kept


@dataclass(frozen=True)
class _Placed:
    """The same steps by place among the retained records, without the holes."""

    steps: Iterable[Sequence[int]]
    places: NDArray[np.int64]

    def __iter__(self) -> Iterator[list[int]]:
        for numbers in self.steps:
            found = self.places[list(numbers)]
            yield found[found >= 0].tolist()
