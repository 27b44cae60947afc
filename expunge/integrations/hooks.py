"""One captured training whose loop is somebody else's: the part that all callbacks share."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from expunge import capture

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from expunge.capture import Captured
    from expunge.sampling import Loader
    from expunge.sink import Sink

Module: TypeAlias = Any  # torch.nn.Module
Batch: TypeAlias = Any  # whatever the loader gives


class NotPossibleHere(RuntimeError):
    """The library that trains does not leave room for a capture."""


class Hooks:
    """Opens, feeds and ends one captured training.

    Args:
        sink: where the training is reported.
        ordinals: the ordinal at each position of the data set; by default its ``ordinals``.
        batch_ids: for a data set without a sampler: gives the ordinals of a batch.
        weights: gives the trained model as safetensors bytes; by default its state.
        first_steps: as ``capture.training``.
    """

    def __init__(
        self,
        *,
        sink: Sink,
        ordinals: Iterable[int] | None = None,
        batch_ids: Callable[[Batch], Iterable[int]] | None = None,
        weights: Callable[[Module], bytes] | None = None,
        first_steps: bool = False,
    ) -> None:
        super().__init__()
        self.captured: Captured | None = None
        self._sink, self._ordinals, self._first_steps = sink, ordinals, first_steps
        self._batch_ids, self._weights = batch_ids, weights or state_of
        self._stack = ExitStack()

    def begin(self, loader: Loader) -> None:
        """Begin to record what a loader draws, which no pass over it has begun on.

        Raises:
            NotPossibleHere: this callback has seen a training before.
            CaptureNotPossible: see ``capture.training``.
        """
        if self.captured is not None:
            raise NotPossibleHere("This callback has captured a training; make one per training.")
        watched = None if self._batch_ids else loader
        self.captured = self._stack.enter_context(
            capture.training(
                watched,
                sink=self._sink,
                ordinals=None if self._batch_ids else self._ordinals,
                first_steps=self._first_steps,
            )
        )
        if watched is not None:
            self._stack.callback(lend(watched, self.captured.loader))

    def saw(self, batch: Batch) -> None:
        """Note the records of a batch, where batches name them, and stop where that must be.

        Raises:
            RecordsRestricted: see ``Captured.check``.
        """
        if self.captured is not None:
            if self._batch_ids:
                self.captured.used(self._batch_ids(batch))
            self.captured.check()

    def end(self, model: Module, metrics: Mapping[str, Any]) -> None:
        """Hand in the trained model. Raises as ``Captured.finish``."""
        if self.captured is not None and self.captured.version is None:
            with self._stack:
                self.captured.finish(weights=self._weights(model), metrics=numbers(metrics))

    def fail(self, error: BaseException) -> None:
        """Say that the training ended without a model."""
        if self.captured is not None and self.captured.version is None:
            self._stack.__exit__(type(error), error, error.__traceback__)

    def give_up(self) -> None:
        """Say that there was no training, where one began and has not ended."""
        self._stack.close()


def lend(loader: Loader, clone: Loader) -> Callable[[], None]:
    """Have a loader draw by the recording sampler of its clone; return what takes that back.

    The library has the loader in its hands, so a clone would never be asked.

    Raises:
        NotPossibleHere: its workers run already, by the sampler before.
    """
    if vars(loader).get("_iterator") is not None:
        raise NotPossibleHere(
            "The workers of the loader run already; make its persistent workers in the training."
        )
    name = "batch_sampler" if loader.batch_sampler is not None else "sampler"
    parts: Any = vars(loader)  # to be written to, which no type allows
    before = parts[name]
    parts[name] = vars(clone)[name]  # DataLoader refuses only the assignment

    def take_back() -> None:
        parts[name] = before

    return take_back


def state_of(model: Module) -> bytes:
    """Return the state of a torch module as safetensors bytes; tied weights are written twice."""
    from safetensors.torch import save  # noqa: PLC0415  (torch is optional here)

    state = model.state_dict()
    return save({name: value.detach().cpu().contiguous().clone() for name, value in state.items()})


def numbers(metrics: Mapping[str, Any]) -> dict[str, float]:
    """Return those metrics that are numbers; a tensor or array of one value is one."""
    values = {str(name): np.asarray(value) for name, value in metrics.items()}
    return {
        name: float(value.item())
        for name, value in values.items()
        if value.size == 1 and value.dtype.kind in "iuf"
    }
