"""In which order records are visited, and what becomes of the places of erased ones.

The order is a keyed permutation: a pure function of (size, key), the same on every platform and
in every release of every library. It is always drawn over the size that training began with, so
that a record can be taken out later without moving any other (its place stays empty).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate, islice
from typing import TYPE_CHECKING

import numpy as np

from unlearning.core.seeding import derive

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from numpy.typing import NDArray

    _Keys = Sequence[np.uint64 | NDArray[np.uint64]]  # of each round, for all values or for each

ROUNDS = 6


def permutation(size: int, key: int) -> NDArray[np.int64]:
    """Return ``size`` record numbers in the order that ``key`` draws.

    A Feistel network over the smallest even number of bits that holds ``size``; a value that
    falls outside is enciphered again until it is inside (cycle walking), which keeps it a
    bijection. After Luby and Rackoff (1988) and Black and Rogaway (2002).
    """
    return _walked(np.arange(size), size, key, forwards=True)


def permutations(size: int, keys: Sequence[int]) -> NDArray[np.int64]:
    """Return what ``permutation`` draws for each key, (keys, size), in one go.

    Small sets spend more time on being asked for than on the drawing.
    """
    own = np.array([_round_keys(key) for key in keys]).T
    values = np.tile(np.arange(size, dtype=np.uint64), len(keys))
    row, outside = np.repeat(np.arange(len(keys)), size), np.arange(values.size)
    while outside.size:
        values[outside] = _enciphered(values[outside], _half(size), list(own[:, row[outside]]))
        outside = outside[values[outside] >= size]
    return values.astype(np.int64).reshape(len(keys), size)


def places(records: Collection[int], size: int, key: int) -> NDArray[np.int64]:
    """Return where in ``permutation(size, key)`` each record stands, without drawing it.

    The same network run backwards: the cost does not depend on ``size``. Every record must lie
    in 0..size-1.
    """
    numbers = np.fromiter(records, dtype=np.int64, count=len(records))
    return _walked(numbers, size, key, forwards=False)


def _walked(
    numbers: NDArray[np.int64], size: int, key: int, *, forwards: bool
) -> NDArray[np.int64]:
    half, keys = _half(size), _round_keys(key)
    cipher = _enciphered if forwards else _deciphered
    values = numbers.astype(np.uint64)
    outside = np.arange(len(values))
    while outside.size:
        values[outside] = cipher(values[outside], half, keys)
        outside = outside[values[outside] >= size]
    return values.astype(np.int64)


def _half(size: int) -> np.uint64:
    """Return half the number of bits that are permuted."""
    return np.uint64(max(1, (max(size, 1) - 1).bit_length() + 1 >> 1))


def _round_keys(key: int) -> list[np.uint64]:
    return [np.uint64(derive(key, "round", number)) for number in range(ROUNDS)]


def _enciphered(values: NDArray[np.uint64], half: np.uint64, keys: _Keys) -> NDArray[np.uint64]:
    mask = (np.uint64(1) << half) - np.uint64(1)
    left, right = values >> half, values & mask
    for key in keys:
        left, right = right, left ^ (_mixed(right ^ key) & mask)
    return (left << half) | right


def _deciphered(values: NDArray[np.uint64], half: np.uint64, keys: _Keys) -> NDArray[np.uint64]:
    mask = (np.uint64(1) << half) - np.uint64(1)
    left, right = values >> half, values & mask
    for key in reversed(keys):
        left, right = right ^ (_mixed(left ^ key) & mask), left
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

    ``stages`` delays records: pairs (epochs, reach), in turn, of which the epochs draw from the
    records numbered below ``reach`` alone. Without stages every epoch draws from all.
    """

    size: int
    batch_size: int
    epochs: int
    seed: int
    holes: frozenset[int] = frozenset()
    stages: tuple[tuple[int, int], ...] = ()

    @property
    def steps(self) -> int:
        """Number of batches over all epochs, empty ones included."""
        stages = self.stages or ((self.epochs, self.size),)
        return sum(epochs * -(-reach // self.batch_size) for epochs, reach in stages)

    @property
    def milestones(self) -> tuple[int, ...]:
        """The steps at which the stages after the first begin: nothing later was seen before."""
        begins = list(accumulate(epochs for epochs, _ in self.stages))[:-1]
        return tuple(sum(map(self.epoch_steps, range(epochs))) for epochs in begins)

    def reach(self, number: int) -> int:
        """Return how many records an epoch draws from: those numbered below this."""
        for epochs, reach in self.stages:
            if number < epochs:
                return reach
            number -= epochs
        return self.size

    def visits(self, record: int) -> int:
        """Return how often a record is drawn, as if it were no hole."""
        stages = self.stages or ((self.epochs, self.size),)
        return sum(epochs for epochs, reach in stages if record < reach)

    def epoch_steps(self, number: int) -> int:
        """Return the number of batches of one epoch."""
        return -(-self.reach(number) // self.batch_size)

    def epoch(self, number: int) -> Iterator[list[int]]:
        """Yield the batches of one epoch, counted from 0."""
        size = self.reach(number)
        order = permutation(size, self.key(number)).tolist()
        for start in range(0, size, self.batch_size):
            places = order[start : start + self.batch_size]
            yield [record for record in places if record not in self.holes]

    def key(self, number: int) -> int:
        """Return what decides the order of one epoch."""
        return derive(self.seed, "order", number)

    def __iter__(self) -> Iterator[list[int]]:
        return self.after(0)

    def after(self, steps: int) -> Iterator[list[int]]:
        """Yield the batches that come after the first ``steps``, without drawing whole epochs."""
        for number in range(self.epochs):
            within = min(steps, self.epoch_steps(number))
            steps -= within
            if within < self.epoch_steps(number):
                yield from islice(self.epoch(number), within, None)

    def first_use(self, records: Collection[int]) -> int:
        """Return the first step that uses any of the records; ``steps`` where none does.

        Found by running the permutation backwards, at the same cost for every size.
        """
        before = 0
        for number in range(self.epochs):
            size = self.reach(number)
            drawn = [record for record in records if record < size and record not in self.holes]
            if drawn:
                first = places(drawn, size, self.key(number)).min()
                return before + int(first) // self.batch_size
            before += self.epoch_steps(number)
        return before


@dataclass(frozen=True, kw_only=True)
class Remainder:
    """The rest of a plan after its first steps; it can be gone through more than once."""

    plan: Plan
    first: int

    def __iter__(self) -> Iterator[list[int]]:
        return self.plan.after(self.first)
