"""Sets of examples: how they are held, counted, read in batches and kept out of sight.

An example is a pair (input, target) of tensors; the target of a classifier is a scalar long.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Protocol, TypeAlias, cast, runtime_checkable

import torch
from torch import Tensor
from torch.utils.data import ConcatDataset, DataLoader, Dataset, Subset, TensorDataset

from unlearning.core.order import Remainder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence, Sized

    from unlearning.core.order import Plan

Pair: TypeAlias = tuple[Tensor, Tensor]
Examples: TypeAlias = Dataset[tuple[Tensor, ...]]  # pairs; a TensorDataset is typed like this

RESIDENT_BYTES = 1 << 30
PAIR = 2


class SetNotDeclared(RuntimeError):
    """A method read a set of examples that it does not declare."""


def count(examples: Examples) -> int:
    """Return the number of examples."""
    return len(cast("Sized", examples))


@runtime_checkable
class Composed(Protocol):
    """A set made of others."""

    def parts(self, indices: Sequence[int]) -> Iterable[tuple[Examples, Sequence[int]]]:
        """Return the sets that these examples lie in, each with their places in it."""


class Held(Dataset[Pair]):
    """A set that is decoded once, if it fits in memory, and that knows whether it was read."""

    def __init__(self, examples: Examples, *, limit: int = RESIDENT_BYTES) -> None:
        """Hold ``examples``; above ``limit`` bytes they are decoded anew for every batch."""
        self._examples = examples
        self._limit = limit
        self._whole: Pair | None = None
        self.read = False

    def __len__(self) -> int:
        return count(self._examples)

    def __getitem__(self, index: int) -> Pair:
        self.read = True
        inputs, target = self._examples[index]
        return inputs, target

    def parts(self, indices: Sequence[int]) -> Iterable[tuple[Examples, Sequence[int]]]:
        """Return the set that is held."""
        return ((self._examples, indices),)

    def all(self) -> Pair:
        """Return every input, stacked to (n, ...), and every target, to (n,)."""
        if self._whole is None:
            self._whole = gathered(self._examples) or self._decoded()
            self.read = True
        return self._whole

    def _decoded(self) -> Pair:
        inputs, targets = zip(*(self[index] for index in range(len(self))), strict=True)
        return torch.stack(inputs), torch.stack(targets)

    def batches(self, steps: Iterable[Sequence[int]], workers: int = 0) -> Iterator[Pair | None]:
        """Yield the batch of each step, None for an empty one; ``steps`` is iterated anew."""
        loader = iter(()) if self._resident() else self._loader(steps, workers)
        for indices in steps:
            if not indices:
                yield None
            elif self._whole is not None:
                chosen = torch.as_tensor(indices)
                yield self._whole[0][chosen], self._whole[1][chosen]
            else:
                if workers:
                    _note_read(self, indices)
                yield next(loader)

    def visits(self, plan: Plan, first: int = 0, workers: int = 0) -> Iterator[Pair | None]:
        """Yield the batch of each step of a plan from ``first`` on, for steps of training."""
        return self.batches(Remainder(plan=plan, first=first), workers)

    def arranged(self, plan: Plan) -> Plan:
        """Return the plan as it is followed on this set; one with slices delays some records."""
        return plan

    def retained(self) -> Held:
        """Return what may be fitted on the data before the first step."""
        return self

    def fits(self) -> bool:
        """Return whether a set that is not empty fits in memory, judged by its first example."""
        return sum(tensor.nbytes for tensor in self[0]) * len(self) <= self._limit

    def _resident(self) -> bool:
        """Bring the set into memory if it fits."""
        if self._whole is None and len(self) and self.fits():
            self.all()
        return self._whole is not None

    def _loader(self, steps: Iterable[Sequence[int]], workers: int) -> Iterator[Pair]:
        filled = _Filled(steps)
        # Its own generator: a loader without one draws from the global state.
        yield from DataLoader(
            self._examples,
            batch_sampler=filled,
            num_workers=workers,
            generator=torch.Generator(),
        )


def _note_read(examples: Examples, indices: Sequence[int]) -> None:
    """Have the sets in this process know of what the copies in others read."""
    if isinstance(examples, Held):
        examples.read = True
    if isinstance(examples, Subset):
        _note_read(examples.dataset, [examples.indices[index] for index in indices])
    elif isinstance(examples, Composed):
        for part, places in examples.parts(indices):
            _note_read(part, places)


class _Filled:
    """The steps that are not empty; a loader cannot collate nothing."""

    def __init__(self, steps: Iterable[Sequence[int]]) -> None:
        self._steps = steps

    def __iter__(self) -> Iterator[list[int]]:
        return (list(indices) for indices in self._steps if indices)


class Sealed(Dataset[Pair]):
    """Stands in for a set that a method has not declared, and so is not given."""

    def __init__(self, name: str, reader: str) -> None:
        """Seal the set called ``name`` against the method called ``reader``."""
        self._message = f"{reader} read the {name} set, which it does not declare."

    def __len__(self) -> int:
        raise SetNotDeclared(self._message)

    def __getitem__(self, index: int) -> Pair:
        raise SetNotDeclared(self._message)


class _Nothing(Dataset[Pair]):
    """A set without examples."""

    def __len__(self) -> int:
        return 0


NOTHING: Examples = _Nothing()


def held(examples: Examples) -> Held:
    """Return the set as one that is decoded once."""
    return examples if isinstance(examples, Held) else Held(examples)


def gathered(examples: Examples) -> Pair | None:
    """Return every input and every target of a set that is made of tensors, else None.

    Nothing is asked for one by one, which takes longer than a small network's step on it.
    """
    if type(examples) is TensorDataset and len(examples.tensors) == PAIR:
        inputs, targets = examples.tensors
        return inputs, targets
    if type(examples) is Subset and (whole := gathered(examples.dataset)) is not None:
        chosen = torch.as_tensor(examples.indices, dtype=torch.long)
        return whole[0][chosen], whole[1][chosen]
    if type(examples) is ConcatDataset:
        filled = [part for part in examples.datasets if count(part)]
        parts = [whole for part in filled if (whole := gathered(part)) is not None]
        if parts and len(parts) == len(filled):
            return torch.cat([part[0] for part in parts]), torch.cat([part[1] for part in parts])
    return None


def in_memory(examples: Examples) -> Examples:
    """Return the set as tensors, each example decoded once, if it fits; else as it is."""
    source = Held(examples)
    if not len(source) or not source.fits():
        return examples
    return TensorDataset(*source.all())


def labels_of(examples: Examples) -> Tensor:
    """Return every target, (n,), in the order of the examples."""
    batches = held(examples).batches(windows(count(examples)))
    return torch.cat([batch[1] for batch in batches if batch is not None])


def windows(size: int, at_most: int = 256) -> list[list[int]]:
    """Cut 0..size-1 into runs of nearly equal length, none longer than ``at_most``.

    Equal lengths matter where a mean over batches is taken, and no run is of one unless size is.
    """
    parts = max(1, -(-size // at_most))
    edges = [size * part // parts for part in range(parts + 1)]
    return [list(range(*edge)) for edge in pairwise(edges)]
