"""Capture of data sets that have no sampler: each sample names its record.

The ids are taken where samples become a batch, which may be a worker process, and travel with the
batch to the main process. They count when the script takes the batch, so nothing drawn ahead is
recorded.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from pyroaring import BitMap

from expunge.sampling import CaptureNotPossible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

Loader: TypeAlias = Any  # torch.utils.data.DataLoader
Sample: TypeAlias = Any
Batch: TypeAlias = Any
# A key of the sample, or a function of it; gives one ordinal or several.
RecordIds: TypeAlias = str | int | Callable[[Sample], Any]


@dataclass(frozen=True, kw_only=True)
class Naming:
    """Collates as before, and sends the ordinals of the samples along."""

    collate: Callable[[Any], Batch]
    record_ids: RecordIds
    batched: bool

    def __call__(self, samples: Any) -> tuple[list[int], Batch]:  # noqa: ANN401
        """Return (ordinals, batch). Raises CaptureNotPossible."""
        each = samples if self.batched else [samples]
        ordinals = [ordinal for sample in each for ordinal in self._named(sample)]
        return ordinals, self.collate(samples)

    def _named(self, sample: Sample) -> list[int]:
        ids = self.record_ids
        try:
            found = ids(sample) if callable(ids) else sample[ids]
        except (KeyError, IndexError, TypeError) as error:
            raise CaptureNotPossible(
                f"A sample does not name its record: record_ids is {ids!r}, which raised "
                f"{type(error).__name__}."
            ) from None
        values = np.atleast_1d(np.asarray(found))
        if values.dtype.kind not in "iu":
            raise CaptureNotPossible(
                f"A sample names its record by a value of the type {values.dtype}; an ordinal is "
                "a whole number. Translate record keys before (docs/capture.md)."
            )
        numbers: list[int] = values.ravel().tolist()
        return numbers


class Consumed:
    """A loader that records which records the script takes from it.

    It takes the place of ``Watched``, and of the loader in the script.
    """

    def __init__(self, loader: Loader, record_ids: RecordIds, *, first_steps: bool) -> None:
        clone = copy.copy(loader)
        vars(clone)["collate_fn"] = Naming(
            collate=loader.collate_fn,
            record_ids=record_ids,
            batched=loader.batch_size is not None or loader.batch_sampler is not None,
        )
        vars(clone)["_iterator"] = None
        self._inner = clone
        self._steps: dict[int, int] | None = {} if first_steps else None
        self._epochs = self._draws = 0
        self.drawn = BitMap()

    @property
    def loader(self) -> Consumed:
        """What the script iterates over."""
        return self

    def __len__(self) -> int:
        return len(self._inner)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  (whatever the loader has)
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._inner, name)

    def __iter__(self) -> Iterator[Batch]:
        """Yield batches as the loader would. Raises CaptureNotPossible."""
        self._epochs += 1
        for ordinals, batch in self._inner:
            self._remember(ordinals)
            yield batch

    def _remember(self, ordinals: list[int]) -> None:
        try:
            if self._steps is not None:
                for ordinal in BitMap(ordinals) - self.drawn:
                    self._steps[ordinal] = self._draws
            self.drawn.update(ordinals)
        except OverflowError as error:
            raise CaptureNotPossible(
                f"A sample names ordinals from {min(ordinals)} to {max(ordinals)}; allowed are 0 "
                "to 4294967295."
            ) from error
        self._draws += 1

    def steps(self) -> tuple[NDArray[np.int64], NDArray[np.uint32]]:
        """As ``Watched.steps``."""
        pairs = sorted((self._steps or {}).items())
        ordinals = np.array([ordinal for ordinal, _ in pairs], dtype=np.int64)
        return ordinals, np.array([step for _, step in pairs], dtype=np.uint32)

    def seen(self) -> dict[str, Any]:
        """As ``Watched.seen``; what an iterable data set yields cannot be replayed from here."""
        return {"epochs": self._epochs, "draws": self._draws}


def described(loader: Loader) -> dict[str, Any]:
    """Return how such a loader reads."""
    return {
        "class": "consumed",
        "batch_size": loader.batch_size,
        "num_workers": loader.num_workers,
        "dataset": type(loader.dataset).__name__,
        "may_exceed_consumed": False,
    }
