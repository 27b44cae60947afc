"""Membership by record: tiles of 512 records x up to 1,024 snapshots, bit for bit.

A record's whole history in a group of snapshots is one contiguous slice, so one page read answers
"which snapshots hold this record". Tiles are made from chunks and can be made again at any time.
"""

from __future__ import annotations

import array
import hashlib
import zlib
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from pyroaring import BitMap

from lineage.core.bitmaps import CHUNK_SIZE, to_array

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from numpy.typing import NDArray

BLOCK = 512  # records in a tile
GROUP = 1_024  # snapshots in a group
_WORTH = 0.5  # compressed tiles are read whole, so they must save at least this much


class TileAltered(ValueError):
    """The stored bytes of a tile are not those that were written."""


@dataclass(frozen=True, kw_only=True)
class Tile:
    """The members of a group of snapshots among records ``block * 512 ...``.

    ``encoding`` is twice the number of snapshots, plus one where the payload is compressed.
    """

    block: int
    encoding: int
    sha256: bytes
    payload: bytes


def width(covered: int) -> int:
    """Return the bytes of one record's slice."""
    return -(-covered // 8)


def tiles(states: Mapping[int, BitMap], number: int, covered: int) -> Iterator[Tile]:
    """Yield the tiles of one chunk of 65,536 ordinals; those without members are left out.

    Args:
        states: the members of that chunk, by number of the snapshot in its group.
        number: of the chunk.
        covered: how many snapshots of the group the tiles tell about.
    """
    rows = np.zeros((width(covered) * 8, CHUNK_SIZE // 8), dtype=np.uint8)
    for place, members in states.items():
        rows[place] = _packed(members, number)
    for at in np.flatnonzero(rows.reshape(len(rows), -1, BLOCK // 8).any(axis=(0, 2))):
        bits = np.unpackbits(rows[:, at * BLOCK // 8 : (at + 1) * BLOCK // 8], axis=1)
        payload = np.packbits(np.ascontiguousarray(bits.T), axis=1).tobytes()
        yield _tile(number * (CHUNK_SIZE // BLOCK) + int(at), covered, payload)


def _packed(members: BitMap, number: int) -> NDArray[np.uint8]:
    mask = np.zeros(CHUNK_SIZE, dtype=np.bool_)
    mask[to_array(members) - number * CHUNK_SIZE] = True
    return np.packbits(mask)


def _tile(block: int, covered: int, payload: bytes) -> Tile:
    smaller = zlib.compress(payload, 6)
    compressed = len(smaller) < _WORTH * len(payload)
    payload = smaller if compressed else payload
    return Tile(
        block=block,
        encoding=2 * covered + compressed,
        sha256=hashlib.sha256(payload).digest(),
        payload=payload,
    )


def checked(tile: Tile, *, where: str) -> bytes:
    """Return the uncompressed bits of a whole tile.

    Raises:
        TileAltered: naming the place.
    """
    if hashlib.sha256(tile.payload).digest() != tile.sha256:
        raise TileAltered(
            f"{where} was altered: its bytes do not have the recorded SHA-256. "
            "Tiles hold nothing of their own: manage.py rebuild_tiles makes them again."
        )
    return zlib.decompress(tile.payload) if tile.encoding % 2 else tile.payload


def holders(slices: Mapping[int, bytes], *, first: int = 0) -> dict[int, BitMap]:
    """Return, by number of the snapshot, which of some records it holds.

    Snapshots that hold the same of them share one bitmap, which nobody may change.

    Args:
        slices: by ordinal, the record's slice; all of equal length.
        first: number of the first snapshot of the group.
    """
    if not slices:
        return {}
    packed = np.frombuffer(b"".join(slices.values()), dtype=np.uint8)
    if len(slices) == 1:
        (places,) = np.unpackbits(packed).nonzero()
        return dict.fromkeys((places + first).tolist(), BitMap(slices))
    bits = np.ascontiguousarray(np.unpackbits(packed.reshape(len(slices), -1), axis=1).T)
    columns = np.packbits(bits, axis=1)
    # As fixed-width text NumPy drops zeros at the end, so a column without members is empty.
    keys: list[bytes] = columns.view(f"S{columns.shape[1]}").ravel().tolist()
    alike = {key: at for at, key in enumerate(keys) if key}
    sets = dict(zip(alike, _sets(bits[list(alike.values())], slices), strict=True))
    return {first + at: sets[key] for at, key in enumerate(keys) if key}


def _sets(bits: NDArray[np.uint8], ordinals: Iterable[int]) -> Iterator[BitMap]:
    """Yield, for each row of ``bits``, the ordinals at which it is set."""
    places, columns = np.nonzero(bits)
    ends = np.cumsum(np.bincount(places, minlength=len(bits))).tolist()
    held = array.array("I")  # pyroaring copies this type at once
    held.frombytes(np.fromiter(ordinals, dtype=np.uint32)[columns].tobytes())
    for start, end in pairwise([0, *ends]):
        yield BitMap(held[start:end])
