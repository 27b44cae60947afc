"""The Merkle tree of the log: roots, inclusion and consistency proofs (RFC 6962, RFC 9162 2.1).

A tree is given by its leaf hashes, oldest first. It is built level by level; a lone last node is
carried up unchanged, which gives the RFC's recursive tree without recursion.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class OutsideTree(ValueError):
    """A leaf index or an older size is not part of the tree."""


class NotProven(ValueError):
    """A path does not lead from the leaf, or from the older tree, to the root."""


def leaf_hash(entry: bytes) -> bytes:
    """Hash one log entry; the prefix keeps leaves and inner nodes apart."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash an inner node from the hashes of the two below it."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def _levels(hashes: Sequence[bytes]) -> list[list[bytes]]:
    levels = [list(hashes)]
    while len(below := levels[-1]) > 1:
        above = [node_hash(below[i], below[i + 1]) for i in range(0, len(below) - 1, 2)]
        levels.append(above + below[len(above) * 2 :])
    return levels


def root(hashes: Sequence[bytes]) -> bytes:
    """Root over these leaf hashes, oldest first; that of no leaves is SHA-256 of nothing."""
    return _levels(hashes)[-1][0] if hashes else hashlib.sha256(b"").digest()


def _climb(levels: list[list[bytes]], position: int) -> list[bytes]:
    path = []
    for level in levels:
        if position ^ 1 < len(level):  # else a lone last node: it has no sibling here
            path.append(level[position ^ 1])
        position >>= 1
    return path


def inclusion_paths(indices: Iterable[int], hashes: Sequence[bytes]) -> dict[int, list[bytes]]:
    """Audit path of each index, from the sibling up; hashes only once. Raises OutsideTree."""
    levels, wanted = _levels(hashes), list(indices)
    for index in wanted:
        if not 0 <= index < len(hashes):
            raise OutsideTree(f"The tree has {len(hashes)} leaves, so it has no leaf {index}.")
    return {index: _climb(levels, index) for index in wanted}


def inclusion_path(index: int, hashes: Sequence[bytes]) -> list[bytes]:
    """Audit path of one leaf (RFC 9162 2.1.3.1). Raises OutsideTree."""
    return inclusion_paths([index], hashes)[index]


def consistency_path(m: int, hashes: Sequence[bytes]) -> list[bytes]:
    """Proof that these leaves extend the first ``m`` (RFC 9162 2.1.4.1). Raises OutsideTree."""
    if not 1 <= m <= len(hashes):
        raise OutsideTree(f"An older size is from 1 to {len(hashes)}, not {m}: 0 proves nothing.")
    if m == len(hashes):
        return []
    start, position = _last_full_subtree(m)
    levels = _levels(hashes)[start:]
    own = [levels[0][position]] if position else []  # a power of two: the older root itself
    return own + _climb(levels, position)


def _last_full_subtree(size: int) -> tuple[int, int]:
    level = (size & -size).bit_length() - 1
    return level, (size - 1) >> level


def _turns(position: int, last: int) -> list[bool]:
    """For each level with a sibling, from below: whether the sibling stands on the left."""
    turns = []
    while last:
        if position & 1 or position != last:
            turns.append(bool(position & 1))
        position, last = position >> 1, last >> 1
    return turns


def _require(otherwise: str, *, holds: bool) -> None:
    if not holds:
        raise NotProven(otherwise)


def verify_inclusion(
    *, index: int, size: int, leaf: bytes, path: Sequence[bytes], root: bytes
) -> None:
    """Raise NotProven unless ``leaf`` is entry ``index`` of ``size`` (RFC 9162 2.1.3.2)."""
    _require("A hash must have 32 bytes.", holds={*map(len, (leaf, root, *path))} == {32})
    _require(f"{size} leaves have no index {index}.", holds=0 <= index < size)
    turns = _turns(index, size - 1)
    _require(f"The path needs {len(turns)} hashes.", holds=len(path) == len(turns))
    for sibling, on_left in zip(path, turns, strict=True):
        leaf = node_hash(sibling, leaf) if on_left else node_hash(leaf, sibling)
    _require("The path does not lead to the root.", holds=leaf == root)


def verify_consistency(
    *, old_size: int, new_size: int, old_root: bytes, new_root: bytes, path: Sequence[bytes]
) -> None:
    """Raise NotProven unless the newer tree extends the older one (RFC 9162 2.1.4.2)."""
    _require("A hash must have 32 bytes.", holds={*map(len, (old_root, new_root, *path))} == {32})
    _require(f"Size {old_size} is not from 1 to {new_size}.", holds=1 <= old_size <= new_size)
    start, position = _last_full_subtree(old_size)
    turns = _turns(position, (new_size - 1) >> start) if old_size < new_size else []
    known = position == 0 or old_size == new_size  # then the path omits the older root
    hashes = [old_root, *path] if known else list(path)
    _require("The path has the wrong length.", holds=len(hashes) == len(turns) + 1)
    old = new = hashes[0]
    for sibling, on_left in zip(hashes[1:], turns, strict=True):
        old = node_hash(sibling, old) if on_left else old
        new = node_hash(sibling, new) if on_left else node_hash(new, sibling)
    _require("The path does not lead to both roots.", holds=(old, new) == (old_root, new_root))
