"""The first step at which a training used each of its records, as it is stored.

zlib-compressed little-endian uint32, one for each member of the used snapshot in ascending order
of ordinal. A step is the number of the batch over the whole training, from 0.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import numpy as np
from pyroaring import BitMap

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

_BYTES = 4


class StepsUnreadable(ValueError):
    """The bytes are not one step for each member."""


def encode(members: BitMap, steps: NDArray[np.integer]) -> bytes:
    """Return the stored form of ``steps``, one for each member in ascending order.

    Raises:
        StepsUnreadable: there is not one for each member.
    """
    if steps.shape != (len(members),):
        raise StepsUnreadable(f"There are {steps.shape} steps for {len(members)} records.")
    return zlib.compress(np.ascontiguousarray(steps, dtype="<u4").tobytes())


def decode(blob: bytes, members: BitMap) -> NDArray[np.uint32]:
    """Return the steps in ``blob``, one for each member in ascending order.

    Raises:
        StepsUnreadable: it holds something else.
    """
    size = _BYTES * len(members)
    reader = zlib.decompressobj()
    try:
        raw = reader.decompress(blob, size + 1)
    except zlib.error as error:
        raise StepsUnreadable(f"{len(blob)} bytes are not zlib data.") from error
    if len(raw) != size or (size and not reader.eof) or reader.unused_data:
        raise StepsUnreadable(f"{len(blob)} bytes do not hold {len(members)} steps.")
    return np.frombuffer(raw, dtype="<u4").astype(np.uint32)


def earliest(blob: bytes, members: BitMap, ordinals: BitMap) -> int | None:
    """Return the first step at which any of ``ordinals`` was used; None if none was.

    Raises:
        StepsUnreadable: the blob does not belong to these members.
    """
    steps = decode(blob, members)
    found = np.array((members & ordinals).to_array(), dtype=np.uint32)
    if not len(found):
        return None
    places = np.searchsorted(np.array(members.to_array(), dtype=np.uint32), found)
    return int(steps[places].min())


def without(blob: bytes, members: BitMap, gone: BitMap) -> bytes:
    """Return the blob of the members that are not ``gone``. Raises StepsUnreadable."""
    kept = np.array([ordinal not in gone for ordinal in members], dtype=np.bool_)
    return encode(members - gone, decode(blob, members)[kept])


def merged(
    parts: Iterable[tuple[BitMap, NDArray[np.uint32]]],
) -> tuple[BitMap, NDArray[np.uint32]]:
    """Return the members of all parts, and the earliest step at which any part used each."""
    listed = list(parts)
    members = BitMap.union(*(held for held, _ in listed)) if listed else BitMap()
    places = np.array(members.to_array(), dtype=np.uint32)
    steps = np.full(len(members), 2**32 - 1, dtype=np.uint32)
    for held, own in listed:
        at = np.searchsorted(places, np.array(held.to_array(), dtype=np.uint32))
        steps[at] = np.minimum(steps[at], own)
    return members, steps
