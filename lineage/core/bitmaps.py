"""Sets of ordinals as Roaring bitmaps: chunks of 65,536, portable bytes, digests.

The bytes are the portable Roaring format, so that Java, Go or Spark can read them too. A chunk
holds the members among 65,536 consecutive ordinals, which is exactly one Roaring container.
"""

from __future__ import annotations

import array
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from pyroaring import BitMap

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from numpy.typing import NDArray

CHUNK_SIZE = 65_536
HIGHEST_ORDINAL = 2**32 - 1
_ARRAY, _BITSET, _RUN = 0, 1, 2
_RUN_COOKIE = 12_347  # RoaringFormatSpec: the low half of the first word when runs are present
_PLAIN_COOKIE = 12_346  # no runs are present
_LONGEST_ARRAY = 4_096


class BitmapUnreadable(ValueError):
    """The bytes are not one portable Roaring bitmap in its canonical form."""


class ChunkAltered(ValueError):
    """The stored bytes of a chunk are not those that were written."""


@dataclass(frozen=True, kw_only=True)
class Chunk:
    """The members among ordinals ``number * 65,536 ...``, ready to be stored.

    ``is_delta``: the bitmap is the symmetric difference from the same chunk of a base.
    """

    number: int
    encoding: int
    cardinality: int
    sha256: bytes
    payload: bytes
    is_delta: bool = False


def encode(members: BitMap) -> bytes:
    """Return the portable bytes of a set; equal sets give equal bytes however they were made."""
    smallest = BitMap(members)
    smallest.run_optimize()
    payload: bytes = smallest.serialize()
    undecided = _undecided(payload)
    for number in undecided:
        # Where runs and single values take equal space, what it was made from would show.
        part = smallest & BitMap(range(number * CHUNK_SIZE, (number + 1) * CHUNK_SIZE))
        smallest -= part
        smallest |= BitMap(part.to_array())
    if undecided:
        smallest.run_optimize()
        payload = smallest.serialize()
    return payload


def _undecided(payload: bytes) -> list[int]:
    """Return the chunks stored as runs that could take as little space as single values.

    That is so for 2n + 1 ordinals in n runs, so for an odd number of them.
    """
    head = int.from_bytes(payload[:4], "little")
    if head & 0xFFFF != _RUN_COOKIE:
        return []
    count = (head >> 16) + 1
    flags = np.frombuffer(payload, np.uint8, -(-count // 8), offset=4)
    table = np.frombuffer(payload, "<u2", 2 * count, offset=4 + len(flags)).reshape(count, 2)
    runs = np.unpackbits(flags, bitorder="little")[:count].astype(bool)
    few = table[:, 1].astype(np.int64) + 1
    return [int(one) for one in table[runs & (few % 2 == 1) & (few <= _LONGEST_ARRAY), 0]]


def read(payload: bytes) -> BitMap:
    """Return the set in bytes from outside: any portable Roaring, canonical or not.

    Raises:
        BitmapUnreadable: the bytes are not Roaring.
    """
    try:
        return BitMap.deserialize(payload)
    except (ValueError, IndexError) as error:
        raise BitmapUnreadable(f"{len(payload)} bytes are not a Roaring bitmap.") from error


def decode(payload: bytes) -> BitMap:
    """Return the set in ``payload``.

    Raises:
        BitmapUnreadable: not Roaring, or bytes that ``encode`` would not have written.
    """
    members = read(payload)
    if encode(members) != payload:
        raise BitmapUnreadable(f"{len(payload)} bytes are not a canonical Roaring bitmap.")
    return members


def digest(members: BitMap) -> str:
    """Return the SHA-256 of a set's portable bytes, in hexadecimal."""
    return hashlib.sha256(encode(members)).hexdigest()


def from_array(ordinals: NDArray[np.integer]) -> BitMap:
    """Return the set of an integer array, without a Python loop over its members.

    Raises:
        ValueError: an ordinal lies outside 0 ... 4,294,967,295.
    """
    if ordinals.size and not 0 <= int(ordinals.min()) <= int(ordinals.max()) <= HIGHEST_ORDINAL:
        raise ValueError(
            f"Ordinals range from {ordinals.min()} to {ordinals.max()}; "
            f"allowed are 0 to {HIGHEST_ORDINAL}."
        )
    values = array.array("I")  # pyroaring copies this type at once, NumPy arrays one by one
    values.frombytes(np.ascontiguousarray(ordinals, dtype=np.uint32).tobytes())
    return BitMap(values)


def from_mask(mask: NDArray[np.bool_]) -> BitMap:
    """Return the positions at which a one-dimensional mask is true."""
    # Written in the portable format, which Roaring takes over as it is: ten times as fast as
    # naming each position.
    parts = [mask[at : at + CHUNK_SIZE] for at in range(0, len(mask), CHUNK_SIZE)]
    counts = [int(np.count_nonzero(part)) for part in parts]
    held = [number for number, count in enumerate(counts) if count]
    bodies = [_container(parts[number], counts[number]) for number in held]
    heads = np.array([(number, counts[number] - 1) for number in held], dtype="<u2")
    first = 8 + 8 * len(held)  # after the cookie, the number of chunks, and 8 bytes for each
    starts = first + np.cumsum([0, *(len(body) for body in bodies)])[:-1]
    cookie = np.array([_PLAIN_COOKIE, len(held)], dtype="<u4")
    table = heads.tobytes() + starts.astype("<u4").tobytes()
    return BitMap.deserialize(b"".join([cookie.tobytes(), table, *bodies]))


def _container(part: NDArray[np.bool_], count: int) -> bytes:
    """Return one chunk of a mask as Roaring stores it: few values one by one, else bits."""
    if count <= _LONGEST_ARRAY:
        return np.flatnonzero(part).astype("<u2").tobytes()
    return np.packbits(part, bitorder="little").tobytes().ljust(CHUNK_SIZE // 8, b"\0")


def to_array(members: BitMap) -> NDArray[np.uint32]:
    """Return the members in ascending order."""
    return np.array(members.to_array(), dtype=np.uint32)


def union(sets: Iterable[BitMap]) -> BitMap:
    """Return the members of any of the sets; of none, the empty set."""
    whole = BitMap()
    for members in sets:
        whole |= members
    return whole


def merged(*parts: Mapping[int, BitMap]) -> dict[int, BitMap]:
    """Return by key the union of what the parts have under it."""
    keys = set().union(*parts)
    return {key: union(part[key] for part in parts if key in part) for key in sorted(keys)}


def chunk_numbers(members: BitMap) -> Iterator[int]:
    """Yield, in order, the numbers of the chunks that hold a member."""
    position, last = 0, members.max() if members else -1
    while position <= last:
        number = members.next_set_bit(position) // CHUNK_SIZE
        yield number
        position = (number + 1) * CHUNK_SIZE


def split(members: BitMap) -> list[Chunk]:
    """Cut a set into its chunks; a chunk without members is left out."""
    return [cut(members, number) for number in chunk_numbers(members)]


def cut(members: BitMap, number: int) -> Chunk:
    """Return one chunk of a set, even if it has no members."""
    first = number * CHUNK_SIZE
    part = members & BitMap(range(first, first + CHUNK_SIZE))
    payload = encode(part)
    return Chunk(
        number=number,
        encoding=_encoding(payload, len(part)),
        cardinality=len(part),
        sha256=hashlib.sha256(payload).digest(),
        payload=payload,
    )


def _encoding(payload: bytes, cardinality: int) -> int:
    if int.from_bytes(payload[:2], "little") == _RUN_COOKIE:
        return _RUN
    return _ARRAY if cardinality <= _LONGEST_ARRAY else _BITSET


def open_chunk(chunk: Chunk, *, space: str, snapshot: str) -> BitMap:
    """Return the members of a stored chunk after checking every stored claim about it.

    Raises:
        ChunkAltered: naming the space, the chunk and the snapshot.
    """
    where = f"Chunk {chunk.number} of snapshot {snapshot} in space {space} was altered: "
    if hashlib.sha256(chunk.payload).digest() != chunk.sha256:
        raise ChunkAltered(where + "its bytes do not have the recorded SHA-256.")
    try:
        members = decode(chunk.payload)
    except BitmapUnreadable as error:
        raise ChunkAltered(f"{where}{error}") from error
    wanted = [chunk.number] if chunk.cardinality else []  # an emptied chunk has no members
    if list(chunk_numbers(members)) != wanted or len(members) != chunk.cardinality:
        raise ChunkAltered(
            f"{where}it holds {len(members)} ordinals of chunks {list(chunk_numbers(members))}, "
            f"but {chunk.cardinality} of chunk {chunk.number} were recorded."
        )
    return members
