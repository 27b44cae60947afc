"""Where a captured training is reported: the contract between a training script and a platform."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray
    from pyroaring import BitMap

SAMPLER, CONSUMED = "SAMPLER", "CONSUMED"


@dataclass(frozen=True, kw_only=True)
class Start:
    """What is known when a training begins: how records will be drawn, and on what machine.

    ``level`` is SAMPLER when a sampler tells the records, CONSUMED when the training names them.
    """

    sampler: Mapping[str, Any]
    environment: Mapping[str, Any]
    level: str = SAMPLER


@dataclass(frozen=True, kw_only=True)
class Finish:
    """What a training wrote, and the ordinals of the records that it drew.

    ``first_steps`` has, for each of ``used`` in ascending order, the step that used it first.
    """

    weights: bytes = field(repr=False)
    used: BitMap = field(repr=False)
    metrics: Mapping[str, Any]
    sampler: Mapping[str, Any]
    first_steps: NDArray[np.uint32] | None = field(default=None, repr=False)


class Sink(Protocol):
    """Receives one training; identifiers are opaque to the script."""

    def begin(self, start: Start) -> str:
        """Open a run and return its identifier."""

    def finish(self, run: str, finish: Finish) -> str:
        """Close the run with a model version and return the version's identifier."""

    def fail(self, run: str, reason: str) -> None:
        """Mark the run as incomplete; the reason is a code, never text about people."""

    def check(self, run: str) -> int:
        """Return how many records of the run's data became restricted since it began."""
