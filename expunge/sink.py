"""Where a captured training is reported: the contract between a training script and a platform."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyroaring import BitMap


@dataclass(frozen=True, kw_only=True)
class Start:
    """What is known when a training begins: how records will be drawn, and on what machine."""

    sampler: Mapping[str, Any]
    environment: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Finish:
    """What a training wrote, and the ordinals of the records that it drew."""

    weights: bytes = field(repr=False)
    used: BitMap = field(repr=False)
    metrics: Mapping[str, Any]
    sampler: Mapping[str, Any]


class Sink(Protocol):
    """Receives one training; identifiers are opaque to the script."""

    def begin(self, start: Start) -> str:
        """Open a run and return its identifier."""

    def finish(self, run: str, finish: Finish) -> str:
        """Close the run with a model version and return the version's identifier."""

    def fail(self, run: str, reason: str) -> None:
        """Mark the run as incomplete; the reason is a code, never text about people."""
