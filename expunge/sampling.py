"""See which records a data loader draws, by wrapping what draws them.

The batch sampler runs in the main process for any number of workers, so one wrapped iterator
sees every index. Measured on one core: about 80 nanoseconds per record.
"""

from __future__ import annotations

import array
import copy
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from pyroaring import BitMap

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

# Torch is optional here, so its types have names only.
Loader: TypeAlias = Any  # torch.utils.data.DataLoader
Sampler: TypeAlias = Any  # a sampler or a batch sampler
Drawn: TypeAlias = Any  # one position or a batch of them
Positions: TypeAlias = Any  # a dataset with a length
Generator: TypeAlias = Any  # torch.Generator or None
State: TypeAlias = Any  # a tensor of bytes
Attribute: TypeAlias = Any  # whatever the wrapped sampler has

_HIGHEST = 2**32 - 1
_DISTRIBUTED = ("rank", "num_replicas", "seed", "epoch")


class CaptureNotPossible(TypeError):
    """What the loader draws cannot be told from its sampler."""


class Recording:
    """A sampler or batch sampler that remembers the dataset positions it gave out."""

    def __init__(self, drawn_from: Sampler, *, size: int) -> None:
        self._drawn_from = drawn_from
        self._size = size
        self.positions = BitMap()
        self.epochs = 0
        self.draws = 0

    def __len__(self) -> int:
        return len(self._drawn_from)

    def __getattr__(self, name: str) -> Attribute:
        if name.startswith("__"):  # such as __setstate__ while a copy is made
            raise AttributeError(name)
        return getattr(self._drawn_from, name)

    def __iter__(self) -> Iterator[Any]:
        """Yield what the sampler yields. Raises CaptureNotPossible."""
        self.epochs += 1
        for drawn in self._drawn_from:
            self._remember(drawn)
            yield drawn

    def _remember(self, drawn: Drawn) -> None:
        self.draws += 1
        listed = drawn.tolist() if hasattr(drawn, "tolist") else drawn
        batch = listed if isinstance(listed, list | tuple) else [listed]
        try:
            self.positions.update(batch)
        except OverflowError:  # negative positions count from the end, as in any sequence
            self.positions.update([position % self._size for position in batch])
        except TypeError as error:
            raise CaptureNotPossible(
                f"The sampler {type(self._drawn_from).__name__} draws "
                f"{type(batch[0]).__name__} values; whole numbers are needed to know the records."
            ) from error


def recording(loader: Loader) -> tuple[Loader, Recording]:
    """Return a data loader that draws exactly as ``loader`` would, and what records it.

    Raises:
        CaptureNotPossible: the dataset is iterable: it has no sampler, so the records must be
            named by hand, with ``used``.
    """
    if any(kind.__name__ == "IterableDataset" for kind in type(loader.dataset).__mro__):
        raise CaptureNotPossible(
            "The loader reads an iterable dataset, which has no sampler; capture without a "
            "loader and name the records with used()."
        )
    batched = loader.batch_sampler is not None
    recorder = Recording(
        loader.batch_sampler if batched else loader.sampler, size=len(loader.dataset)
    )
    # A copy keeps every option and subclass; DataLoader only refuses assignment, not a copy.
    clone = copy.copy(loader)
    vars(clone)["batch_sampler" if batched else "sampler"] = recorder
    vars(clone)["_iterator"] = None
    return clone, recorder


def described(loader: Loader) -> dict[str, Any]:
    """Return how a loader draws: enough to draw the same again, without storing the order."""
    batches = loader.batch_sampler
    sampler = getattr(batches, "sampler", loader.sampler if batches is None else batches)
    return {
        "class": type(sampler).__name__,
        "batch_size": getattr(batches, "batch_size", None),
        "drop_last": getattr(batches, "drop_last", None),
        "num_workers": loader.num_workers,
        "dataset_size": len(loader.dataset),
        # With workers, batches are drawn ahead: after an early stop a few too many are recorded.
        "may_exceed_consumed": loader.num_workers > 0,
        "distributed": {
            name: getattr(sampler, name)
            for name in _DISTRIBUTED
            if hasattr(sampler, "num_replicas")
        },
        **_generator(getattr(sampler, "generator", None), loader.generator),
    }


def _generator(own: Generator, shared: Generator) -> dict[str, Any]:
    """Describe where the order comes from.

    A DataLoader draws one number per epoch from its own generator before the sampler draws, so
    it matters for a replay whether the two share one.
    """
    generator = shared if own is None else own
    if generator is None:
        import torch  # noqa: PLC0415  (there is a loader, so torch is imported already)

        state = _state_digest(torch.get_rng_state())
        return {"generator": "global", "seed": None, "generator_state": state}
    return {
        "generator": "loader" if generator is shared else "sampler",
        "seed": generator.initial_seed(),
        "generator_state": _state_digest(generator.get_state()),
    }


def _state_digest(state: State) -> str:
    return hashlib.sha256(state.numpy().tobytes()).hexdigest()


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
        positions = np.array(self.recorder.positions.to_array(), dtype=np.int64)
        values = array.array("I")  # pyroaring copies this type at once
        values.frombytes(self.ordinals[positions].astype(np.uint32).tobytes())
        return BitMap(values)


def watched(loader: Loader, ordinals: Iterable[int] | None = None) -> Watched:
    """Return a loader that draws as ``loader`` would and records it. Raises CaptureNotPossible."""
    clone, recorder = recording(loader)
    places = (
        ordinals_of(loader.dataset)
        if ordinals is None
        else checked_ordinals(ordinals, len(loader.dataset))
    )
    return Watched(loader=clone, recorder=recorder, ordinals=places)
