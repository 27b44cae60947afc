"""In which order records are visited, and what becomes of the places of erased ones.

The order is a keyed permutation: a pure function of (size, key), the same on every platform and
in every release of every library. It is always drawn over the size that training began with, so
that a record can be taken out later without moving any other (its place stays empty).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from unlearning.core.seeding import derive

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

ROUNDS = 6


def permutation(size: int, key: int) -> NDArray[np.int64]:
    """Return ``size`` record numbers in the order that ``key`` draws.

    A Feistel network over the smallest even number of bits that holds ``size``; a value that
    falls outside is enciphered again until it is inside (cycle walking), which keeps it a
    bijection. After Luby and Rackoff (1988) and Black and Rogaway (2002).
    """
    half = np.uint64(max(1, (max(size, 1) - 1).bit_length() + 1 >> 1))
    keys = [np.uint64(derive(key, "round", number)) for number in range(ROUNDS)]
    values = np.arange(size, dtype=np.uint64)
    outside = np.arange(size)
    while outside.size:
        values[outside] = _enciphered(values[outside], half, keys)
        outside = outside[values[outside] >= size]
    return values.astype(np.int64)


def _enciphered(
    values: NDArray[np.uint64], half: np.uint64, keys: list[np.uint64]
) -> NDArray[np.uint64]:
    mask = (np.uint64(1) << half) - np.uint64(1)
    left, right = values >> half, values & mask
    for key in keys:
        left, right = right, left ^ (_mixed(right ^ key) & mask)
    return (left << half) | right


def _mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Scramble 64 bits: the finaliser of SplitMix64 (Steele, Lea and Flood, 2014)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Every batch of a stretch of training, as lists of record numbers.

    The last batch of an epoch is as short as it must be: nothing is dropped. A step whose places
    are all holes is an empty list, so that the steps after it keep their numbers.
    """

    size: int
    batch_size: int
    epochs: int
    seed: int
    holes: frozenset[int] = frozenset()

    @property
    def steps(self) -> int:
        """Number of batches over all epochs, empty ones included."""
        return self.epochs * -(-self.size // self.batch_size)

    def epoch(self, number: int) -> Iterator[list[int]]:
        """Yield the batches of one epoch, counted from 0."""
        order = permutation(self.size, derive(self.seed, "order", number)).tolist()
        for start in range(0, self.size, self.batch_size):
            places = order[start : start + self.batch_size]
            yield [record for record in places if record not in self.holes]

    def __iter__(self) -> Iterator[list[int]]:
        for number in range(self.epochs):
            yield from self.epoch(number)
