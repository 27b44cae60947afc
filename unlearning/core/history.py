"""What was kept of the end of a training, for methods that go back to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from unlearning.core.order import Plan

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class History:
    """The state from which the last steps of a training were taken, and what was in each.

    ``memory`` is what the optimiser remembered, the ``state`` of its state dictionary.
    ``batches`` holds numbers within the retain set, one tuple for each step; ``holes`` is how
    many places of records to forget were left out of them. ``rates`` are the factors on the
    learning rate at these steps.
    """

    weights: Mapping[str, Tensor]
    memory: Mapping[int, Any]
    batches: tuple[tuple[int, ...], ...]
    rates: tuple[float, ...]
    holes: int


@dataclass(frozen=True, kw_only=True)
class Recorded(Plan):
    """Batches as they were logged, in place of an order that is drawn."""

    batches: tuple[tuple[int, ...], ...]

    @property
    def steps(self) -> int:
        """Number of batches, empty ones included."""
        return len(self.batches)

    def after(self, steps: int) -> Iterator[list[int]]:
        """Yield the batches that come after the first ``steps``."""
        return map(list, self.batches[steps:])

    def first_use(self, records: Collection[int]) -> int:
        """Return the first step that uses any of the records, by looking through them all."""
        sought = set(records)
        uses = (step for step, batch in enumerate(self.batches) if sought.intersection(batch))
        return next(uses, self.steps)
