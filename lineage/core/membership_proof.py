"""Prove that a snapshot does or does not hold an ordinal, and check such a proof.

A proof shows the bytes of the one chunk in which the ordinal would be, with its way to the
digest. Where there is no such chunk it shows the two neighbours that leave no room for it. A proof
tells the members of that chunk, which are ordinals and name nobody.
"""

from __future__ import annotations

import base64
import hashlib
from bisect import bisect_left
from typing import TYPE_CHECKING, Any

from lineage.core.bitmaps import CHUNK_SIZE, BitmapUnreadable, chunk_numbers, decode
from lineage.core.membership import committed, leaf, path, root_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lineage.core.bitmaps import Chunk


class ProofRejected(ValueError):
    """The proof does not show what it says."""


def prove(chunks: Sequence[Chunk], ordinal: int) -> dict[str, Any]:
    """Return a proof, as JSON can hold it, about one ordinal of a snapshot.

    Args:
        chunks: all whole chunks of the snapshot, by number.
        ordinal: of the record in question.
    """
    leaves = [leaf(chunk.number, chunk.sha256) for chunk in chunks]
    numbers = [chunk.number for chunk in chunks]
    at = bisect_left(numbers, ordinal // CHUNK_SIZE)
    if at < len(numbers) and numbers[at] == ordinal // CHUNK_SIZE:
        payload = base64.b64encode(chunks[at].payload).decode()
        shown = [{**_shown(chunks, leaves, at), "payload": payload}]
    else:
        shown = [
            _shown(chunks, leaves, index) for index in (at - 1, at) if 0 <= index < len(chunks)
        ]
    return {"ordinal": ordinal, "leaves": len(leaves), "chunks": shown}


def _shown(chunks: Sequence[Chunk], leaves: Sequence[bytes], index: int) -> dict[str, Any]:
    return {
        "index": index,
        "number": chunks[index].number,
        "sha256": chunks[index].sha256.hex(),
        "path": [sibling.hex() for sibling in path(leaves, index)],
    }


def verify(proof: Mapping[str, Any], digest: str) -> bool:
    """Return whether the snapshot with this digest holds the ordinal of the proof.

    Raises:
        ProofRejected: the proof is not whole, or belongs to another snapshot.
    """
    try:
        ordinal, size = int(proof["ordinal"]), int(proof["leaves"])
        shown = [_checked(one, size, digest) for one in proof["chunks"]]
        if not shown and committed(0, b"").hex() == digest and size == 0:
            return False
        return _answer(shown, ordinal, size)
    except (KeyError, TypeError, ValueError, ArithmeticError) as error:
        raise ProofRejected(f"The proof does not hold: {error}") from error


def _checked(one: Mapping[str, Any], size: int, digest: str) -> Mapping[str, Any]:
    own = leaf(int(one["number"]), bytes.fromhex(one["sha256"]))
    siblings = [bytes.fromhex(sibling) for sibling in one["path"]]
    if committed(size, root_of(own, int(one["index"]), size, siblings)).hex() != digest:
        raise ProofRejected(f"the chunk {one['number']} does not lead to the digest.")
    return one


def _answer(shown: Sequence[Mapping[str, Any]], ordinal: int, size: int) -> bool:
    number = ordinal // CHUNK_SIZE
    if len(shown) == 1 and shown[0]["number"] == number:
        return ordinal in _members(shown[0])
    _check_gap(shown, number, size)
    return False


def _members(one: Mapping[str, Any]) -> Any:  # noqa: ANN401  (a bitmap)
    payload = base64.b64decode(one["payload"], validate=True)
    if hashlib.sha256(payload).hexdigest() != one["sha256"]:
        raise ProofRejected("the bytes of the chunk do not have its SHA-256.")
    try:
        members = decode(payload)
    except BitmapUnreadable as error:
        raise ProofRejected(str(error)) from error
    if list(chunk_numbers(members)) != [one["number"]]:
        raise ProofRejected("the bytes are those of another chunk.")
    return members


def _check_gap(shown: Sequence[Mapping[str, Any]], number: int, size: int) -> None:
    """Check that the shown chunks are neighbours between which ``number`` would have to be."""
    below = [one for one in shown if one["number"] < number]
    above = [one for one in shown if one["number"] > number]
    if len(below) + len(above) != len(shown) or len(below) > 1 or len(above) > 1 or not shown:
        raise ProofRejected("it does not show the neighbours of the missing chunk.")
    first = below[0]["index"] + 1 if below else 0
    next_one = above[0]["index"] if above else size
    if first != next_one:
        raise ProofRejected("the chunks that it shows are not neighbours.")
