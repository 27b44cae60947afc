"""What a computation is given from outside: randomness, a device, a clock and two callbacks."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import torch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import nn

    from unlearning.core.examples import Held
    from unlearning.core.phase import Phase

CPU = torch.device("cpu")


class Cancelled(Exception):
    """The caller asked for the computation to stop; nothing was returned."""


def _unheard(phase: str, done: int, total: int) -> None:
    """Report progress to nobody."""


def _never() -> bool:
    return False


class Recorder(Protocol):
    """Hears of every step of training, and may let it begin in a state that was kept."""

    def begin(self, model: nn.Module, examples: Held, phase: Phase, /) -> int:
        """Return the step to go on from; model and optimiser are in the state before it."""

    def after(self, step: int, loss: float | None, /) -> None:
        """Hear that a step is done; ``loss`` is None where its batch was empty."""

    def end(self) -> None:
        """Hear that the phase is done."""


class Unrecorded:
    """Begins at the beginning and remembers nothing."""

    def begin(self, _model: nn.Module, _examples: Held, _phase: Phase, /) -> int:
        """Return 0."""
        return 0

    def after(self, _step: int, _loss: float | None, /) -> None:
        """Hear nothing."""

    def end(self) -> None:
        """Hear nothing."""


@dataclass(frozen=True, kw_only=True)
class Session:
    """One computation: equal sessions give equal tensors (on one machine, one thread count).

    ``device`` is the processor or one CUDA device. ``base`` is the model that a fine-tuned child
    starts from, ``progress`` hears (phase, steps done, steps in all) at every step, and
    ``cancelled`` is asked as often. ``amp`` allows mixed precision (bfloat16) on CUDA. What a
    ``recorder`` does changes no result.

    A private training also reads ``people``, whose each example is (None: all different), and
    ``secret``, which decides its noise: whoever keeps it can take the noise away again.
    """

    seed: int = 0
    device: torch.device = CPU
    base: nn.Module | None = None
    progress: Callable[[str, int, int], None] = _unheard
    cancelled: Callable[[], bool] = _never
    clock: Callable[[], float] = time.perf_counter
    amp: bool = False
    recorder: Recorder = field(default_factory=Unrecorded)
    people: Sequence[int] | None = None
    secret: bytes | None = field(default=None, repr=False)
    workers: int = 0  # processes that decode examples too many for memory; 0: this one

    @property
    def mixed(self) -> bool:
        """Whether steps are taken in mixed precision; on the processor they never are."""
        return self.amp and self.device.type == "cuda"

    def step(self, phase: str, done: int, total: int) -> None:
        """Report progress, and stop here if asked to.

        Raises:
            Cancelled: the caller wants no more of it.
        """
        if self.cancelled():
            raise Cancelled(f"Cancelled during {phase}, after step {done} of {total}.")
        self.progress(phase, done, total)
