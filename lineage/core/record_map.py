"""Which derived records came from which source records, in blocks of 4,096 source ordinals.

A block lists, source by source, the derived ordinals in ascending order (compressed sparse rows):
counts and the differences between neighbours, both compressed.
"""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lineage.core.bitmaps import from_array, to_array

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from pyroaring import BitMap

BLOCK = 4_096


class MapAltered(ValueError):
    """The stored bytes of a block are not those that were written."""


@dataclass(frozen=True, kw_only=True)
class MapBlock:
    """The derived records of the sources ``number * 4,096 ...``."""

    number: int
    offsets: bytes
    derived: bytes
    sha256: bytes


def blocks(sources: NDArray[np.int64], derived: NDArray[np.int64]) -> Iterator[MapBlock]:
    """Yield the blocks of a map given as pairs (source, derived), in any order.

    Raises:
        ValueError: the arrays differ in length, or an ordinal cannot be one.
    """
    if sources.shape != derived.shape:
        raise ValueError(f"There are {sources.size} sources for {derived.size} derived records.")
    from_array(sources), from_array(derived)  # refuses what is no ordinal
    pairs = np.unique(np.stack([sources, derived], axis=1), axis=0)
    numbers, starts = np.unique(pairs[:, 0] // BLOCK, return_index=True)
    for number, part in zip(numbers.tolist(), np.split(pairs, starts[1:]), strict=False):
        yield _block(number, part)


def _block(number: int, pairs: NDArray[np.int64]) -> MapBlock:
    counts = np.bincount(pairs[:, 0] - number * BLOCK, minlength=BLOCK)
    offsets = zlib.compress(counts.astype("<u4").tobytes())
    steps = np.diff(pairs[:, 1], prepend=0)
    derived = zlib.compress(steps.astype("<i8").tobytes())
    return MapBlock(
        number=number, offsets=offsets, derived=derived, sha256=_digest(offsets, derived)
    )


def _digest(offsets: bytes, derived: bytes) -> bytes:
    return hashlib.sha256(len(offsets).to_bytes(4, "big") + offsets + derived).digest()


def derived_from(block: MapBlock, sources: BitMap, *, where: str) -> BitMap:
    """Return what was derived from any of some sources of the block.

    Raises:
        MapAltered: naming the place.
    """
    if _digest(block.offsets, block.derived) != block.sha256:
        raise MapAltered(f"{where} was altered: its bytes do not have the recorded SHA-256.")
    counts = np.frombuffer(zlib.decompress(block.offsets), dtype="<u4").astype(np.int64)
    derived = np.cumsum(np.frombuffer(zlib.decompress(block.derived), dtype="<i8"))
    owners = np.repeat(np.arange(BLOCK) + block.number * BLOCK, counts)
    return from_array(derived[np.isin(owners, to_array(sources).astype(np.int64))])
