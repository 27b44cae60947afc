"""See which records a data loader draws, by wrapping what draws them.

The batch sampler runs in the main process for any number of workers, so one wrapped iterator
sees every index. Measured on one core: about 80 nanoseconds per record.
"""

from __future__ import annotations

import array
import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from pyroaring import BitMap

from expunge.seeds import moment, sampler_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

# Torch is optional here, so its types have names only.
Loader: TypeAlias = Any  # torch.utils.data.DataLoader
Sampler: TypeAlias = Any  # a sampler or a batch sampler
Drawn: TypeAlias = Any  # one position or a batch of them
Positions: TypeAlias = Any  # a dataset with a length
Attribute: TypeAlias = Any  # whatever the wrapped sampler has

_HIGHEST = 2**32 - 1
_NEVER = 2**32 - 1


class CaptureNotPossible(TypeError):
    """What the loader draws cannot be told from its sampler."""


class Recording:
    """A sampler or batch sampler that remembers the dataset positions it gave out.

    ``draws`` counts batches over all passes; ``steps`` has, by position, the number of the draw
    that gave it out first (where that was asked for).
    """

    def __init__(
        self, drawn_from: Sampler, *, below: Sampler, size: int, first_steps: bool = False
    ) -> None:
        self._drawn_from = drawn_from
        self._below = below
        self._size = size
        self.positions = BitMap()
        self.steps = np.full(size, _NEVER, dtype=np.uint32) if first_steps else None
        self.passes: list[dict[str, Any]] = []
        self.draws = 0

    @property
    def epochs(self) -> int:
        """Return how many passes began."""
        return len(self.passes)

    def __len__(self) -> int:
        return len(self._drawn_from)

    def __getattr__(self, name: str) -> Attribute:
        if name.startswith("__"):  # such as __setstate__ while a copy is made
            raise AttributeError(name)
        return getattr(self._drawn_from, name)

    def __iter__(self) -> Iterator[Any]:
        """Yield what the sampler yields. Raises CaptureNotPossible."""
        self.passes.append(moment(self._below))
        for drawn in self._drawn_from:
            self._remember(drawn)
            yield drawn

    def _remember(self, drawn: Drawn) -> None:
        listed = drawn.tolist() if hasattr(drawn, "tolist") else drawn
        batch = listed if isinstance(listed, list | tuple) else [listed]
        known = len(self.positions) if self.steps is not None else 0
        try:
            self.positions.update(batch)
        except OverflowError:  # negative positions count from the end, as in any sequence
            self.positions.update([position % self._size for position in batch])
        except TypeError as error:
            raise CaptureNotPossible(
                f"The sampler {type(self._drawn_from).__name__} draws "
                f"{type(batch[0]).__name__} values; whole numbers are needed to know the records."
            ) from error
        # After the first pass nothing is new, so that later ones cost no more for it.
        if self.steps is not None and len(self.positions) > known:
            _note(self.steps, batch, self.draws)
        self.draws += 1


def _note(steps: NDArray[np.uint32], batch: list[int] | tuple[int, ...], step: int) -> None:
    places = np.array(batch, dtype=np.int64)
    fresh = places[steps[places] == _NEVER]
    steps[fresh] = step


def recording(loader: Loader, *, first_steps: bool = False) -> tuple[Loader, Recording]:
    """Return a data loader that draws exactly as ``loader`` would, and what records it.

    Raises:
        CaptureNotPossible: the dataset is iterable: it has no sampler, so its samples must name
            their records (``record_ids``), or the script must, with ``used``.
    """
    if any(kind.__name__ == "IterableDataset" for kind in type(loader.dataset).__mro__):
        raise CaptureNotPossible(
            "The loader reads an iterable dataset, which has no sampler; say with "
            "record_ids=... where a sample names its record, or capture without a loader and name "
            "the records with used()."
        )
    batched = loader.batch_sampler is not None
    recorder = Recording(
        loader.batch_sampler if batched else loader.sampler,
        below=sampler_of(loader),
        size=len(loader.dataset),
        first_steps=first_steps,
    )
    # A copy keeps every option and subclass; DataLoader only refuses assignment, not a copy.
    clone = copy.copy(loader)
    vars(clone)["batch_sampler" if batched else "sampler"] = recorder
    vars(clone)["_iterator"] = None
    return clone, recorder


def ordinals_of(dataset: Positions) -> NDArray[np.int64]:
    """Return the ordinal at each position of a dataset.

    Taken from its ``ordinals``; through a torch ``Subset`` from those of the dataset below it.

    Raises:
        CaptureNotPossible: neither is there.
    """
    if hasattr(dataset, "ordinals"):
        return checked_ordinals(dataset.ordinals, len(dataset))
    if hasattr(dataset, "indices") and hasattr(dataset, "dataset"):
        below = ordinals_of(dataset.dataset)
        return below[np.asarray(dataset.indices, dtype=np.int64)]
    raise CaptureNotPossible(
        f"The dataset {type(dataset).__name__} does not say which record is at which position; "
        "give it an attribute `ordinals` or pass ordinals=..."
    )


def checked_ordinals(ordinals: Iterable[int], size: int) -> NDArray[np.int64]:
    """Return ordinals as an array after checking that there is one per position.

    Raises:
        CaptureNotPossible: there is not, or one cannot be an ordinal.
    """
    listed = np.asarray(ordinals.tolist() if hasattr(ordinals, "tolist") else list(ordinals))
    if listed.shape != (size,) or (size and listed.dtype.kind not in "iu"):
        raise CaptureNotPossible(
            f"The ordinals have the shape {listed.shape} and the type {listed.dtype}; needed are "
            f"{size} whole numbers, one for each position."
        )
    if size and not 0 <= int(listed.min()) <= int(listed.max()) <= _HIGHEST:
        raise CaptureNotPossible(
            f"The ordinals range from {listed.min()} to {listed.max()}; "
            f"allowed are 0 to {_HIGHEST}."
        )
    return listed.astype(np.int64)


@dataclass(frozen=True, kw_only=True)
class Watched:
    """A loader that records what it draws, with the ordinal at each position of its dataset."""

    loader: Loader
    recorder: Recording
    ordinals: NDArray[np.int64]

    @property
    def drawn(self) -> BitMap:
        """The ordinals drawn so far."""
        values = array.array("I")  # pyroaring copies this type at once
        values.frombytes(self.ordinals[self._positions()].astype(np.uint32).tobytes())
        return BitMap(values)

    def steps(self) -> tuple[NDArray[np.int64], NDArray[np.uint32]]:
        """Return ordinals in ascending order and the draw at which each was first given out."""
        positions = self._positions()
        known = self.recorder.steps
        if known is None:
            raise CaptureNotPossible("First steps were not asked for: first_steps=True.")
        # Several positions may hold one record: the earliest of them counts.
        order = np.lexsort((known[positions], self.ordinals[positions]))
        ordinals, firsts = np.unique(self.ordinals[positions][order], return_index=True)
        return ordinals, known[positions][order][firsts]

    def seen(self) -> dict[str, Any]:
        """Return what a replay needs, and how far the training came."""
        recorder = self.recorder
        return {"epochs": recorder.epochs, "draws": recorder.draws, "passes": recorder.passes}

    def _positions(self) -> NDArray[np.int64]:
        return np.array(self.recorder.positions.to_array(), dtype=np.int64)


def watched(
    loader: Loader, ordinals: Iterable[int] | None = None, *, first_steps: bool = False
) -> Watched:
    """Return a loader that draws as ``loader`` would and records it. Raises CaptureNotPossible."""
    clone, recorder = recording(loader, first_steps=first_steps)
    places = (
        ordinals_of(loader.dataset)
        if ordinals is None
        else checked_ordinals(ordinals, len(loader.dataset))
    )
    return Watched(loader=clone, recorder=recorder, ordinals=places)
