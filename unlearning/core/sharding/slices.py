"""A schedule in which later slices are first seen later, and what each part of it costs."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

from torch.utils.data import Subset

from unlearning.core.examples import Held
from unlearning.core.replay.pinned import Pinned

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from unlearning.core.examples import Examples
    from unlearning.core.order import Plan


class TooManySlices(ValueError):
    """There are too few epochs for each slice to be seen."""


def stage_epochs(slices: int, epochs: int) -> tuple[int, ...]:
    """Return for how many epochs the first one, two, ... slices are trained on.

    Each stage has about 2E/(R+1) of the E epochs that the recipe has, so that as many records
    pass through the model as without slices (Bourtoule et al., 2021, section IV).

    Raises:
        TooManySlices: a stage would have none.
    """
    if slices > 2 * epochs - 1:
        raise TooManySlices(
            f"{slices} slices cannot each be first seen in an epoch of their own, as the recipe "
            f"has {epochs}; use at most {2 * epochs - 1} slices."
        )
    edges = [(4 * epochs * at + slices + 1) // (2 * (slices + 1)) for at in range(slices + 1)]
    return tuple(after - before for before, after in pairwise(edges))


class Sliced(Pinned):
    """A shard: its records are numbered slice by slice, and later slices are first seen later.

    What a recipe fits before the first step (a scaler) is fitted on the first slice that has a
    record left, so that a state from before a slice owes it nothing in that way either.
    """

    def __init__(
        self, retain: Examples, *, bounds: Sequence[int], holes: Iterable[int] = ()
    ) -> None:
        """Pin the retained records; ``bounds`` counts the first one, two, ... slices together.

        Raises:
            WrongSize: the retained records are not as many as the numbers that are no holes.
        """
        super().__init__(retain, size=bounds[-1], holes=holes)
        self._bounds = tuple(bounds)

    def arranged(self, plan: Plan) -> Plan:
        """Return a plan over this set with its slices delayed; another is left alone.

        Raises:
            TooManySlices: the plan has too few epochs.
        """
        if plan.size != self.size or plan.stages:
            return plan
        epochs = stage_epochs(len(self._bounds), plan.epochs)
        stages = tuple(zip(epochs, self._bounds, strict=True))
        return replace(plan, epochs=sum(epochs), stages=stages)

    def retained(self) -> Held:
        """Return the retained records of the first slice that has any."""
        counts = left(self._bounds, self.holes)
        return Held(Subset(self._kept, range(next((each for each in counts if each), 0))))


def left(bounds: Sequence[int], holes: Iterable[int]) -> tuple[int, ...]:
    """Return how many records the first one, two, ... slices together have left."""
    gone = list(holes)
    return tuple(bound - sum(hole < bound for hole in gone) for bound in bounds)


def stage_visits(counts: Sequence[int], epochs: Sequence[int]) -> tuple[int, ...]:
    """Return how many records pass through the model in each stage.

    ``counts`` are the records that the first one, two, ... slices together have left, ``epochs``
    those of each stage. A rebuild from before slice i costs the sum from i on: all records that
    are left in the slices up to each stage are visited again.
    """
    return tuple(own * count for own, count in zip(epochs, counts, strict=True))
