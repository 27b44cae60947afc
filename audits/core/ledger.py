"""The Merkle tree of the log: roots, inclusion and consistency proofs (RFC 6962 2.1, RFC 9162 2.1).

A tree is given by its leaf hashes, oldest first. Proofs are made level by level: a lone last node is
carried up unchanged, which gives exactly the RFC's recursive tree without recursion.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

HASH_BYTES = 32


class OutsideTree(ValueError):
    """A leaf index or an older size is not part of the tree."""


class InclusionNotProven(ValueError):
    """The path does not connect the leaf with the root."""


class ConsistencyNotProven(ValueError):
    """The path does not show that the newer tree extends the older one."""


def leaf_hash(entry: bytes) -> bytes:
    """Hash one log entry; the prefix keeps leaves and inner nodes apart."""
    return hashlib.sha256(b"\x00" + entry).digest()


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def _levels(hashes: Sequence[bytes]) -> list[list[bytes]]:
    levels = [list(hashes)]
    while len(below := levels[-1]) > 1:
        above = [_node(below[i], below[i + 1]) for i in range(0, len(below) - 1, 2)]
        levels.append(above + below[len(above) * 2 :])
    return levels


def root(hashes: Sequence[bytes]) -> bytes:
    """Root of the tree over these leaf hashes; the empty tree hashes to SHA-256 of nothing."""
    return _levels(hashes)[-1][0] if hashes else hashlib.sha256(b"").digest()


def _climb(levels: list[list[bytes]], *, start: int, position: int) -> list[bytes]:
    """Siblings met on the way up from a node; a lone last node has none."""
    path = []
    for level in levels[start:]:
        if position ^ 1 < len(level):
            path.append(level[position ^ 1])
        position >>= 1
    return path


def inclusion_paths(indices: Iterable[int], hashes: Sequence[bytes]) -> dict[int, list[bytes]]:
    """Audit path of each index, from the leaf's sibling to the root's child; hashes once.

    Raises:
        OutsideTree: an index is not below the number of leaves.
    """
    wanted = list(indices)
    for index in wanted:
        if not 0 <= index < len(hashes):
            raise OutsideTree(f"The tree has {len(hashes)} leaves, so it has no leaf {index}.")
    levels = _levels(hashes)
    return {index: _climb(levels, start=0, position=index) for index in wanted}


def inclusion_path(index: int, hashes: Sequence[bytes]) -> list[bytes]:
    """Audit path of one leaf (RFC 9162 2.1.3.1). Raises OutsideTree."""
    return inclusion_paths([index], hashes)[index]


def consistency_path(m: int, hashes: Sequence[bytes]) -> list[bytes]:
    """Proof that the tree over ``hashes`` extends its first ``m`` leaves (RFC 9162 2.1.4.1).

    Raises:
        OutsideTree: m is not between 1 and the number of leaves; size 0 commits to nothing.
    """
    if not 1 <= m <= len(hashes):
        raise OutsideTree(f"An older size must be from 1 to {len(hashes)}; it is {m}.")
    if m == len(hashes):
        return []
    levels, start = _levels(hashes), _lowest_bit(m)
    position = (m - 1) >> start  # the root of the last full subtree of the older tree
    own = [levels[start][position]] if position else []  # else it is the older root itself
    return own + _climb(levels, start=start, position=position)


def _lowest_bit(size: int) -> int:
    return (size & -size).bit_length() - 1


def _turns(position: int, last: int) -> list[bool]:
    """For each level with a sibling, from below: whether the sibling stands on the left."""
    turns = []
    while last:
        if position & 1 or position != last:  # else a lone last node: carried up
            turns.append(bool(position & 1))
        position, last = position >> 1, last >> 1
    return turns


def verify_inclusion(
    *, index: int, size: int, leaf: bytes, path: Sequence[bytes], root: bytes
) -> None:
    """Check that ``leaf`` is entry ``index`` of the tree of ``size`` leaves (RFC 9162 2.1.3.2).

    Raises:
        InclusionNotProven: with the reason.
    """
    if not 0 <= index < size:
        raise InclusionNotProven(f"A tree of {size} leaves has no leaf {index}.")
    if any(len(item) != HASH_BYTES for item in (leaf, root, *path)):
        raise InclusionNotProven("Every hash must have 32 bytes.")
    turns = _turns(index, size - 1)
    if len(path) != len(turns):
        raise InclusionNotProven(f"The path has {len(path)} hashes; it needs {len(turns)}.")
    for sibling, on_left in zip(path, turns, strict=True):
        leaf = _node(sibling, leaf) if on_left else _node(leaf, sibling)
    if leaf != root:
        raise InclusionNotProven("The path does not lead to the root.")


def verify_consistency(
    *, old_size: int, new_size: int, old_root: bytes, new_root: bytes, path: Sequence[bytes]
) -> None:
    """Check that the newer tree starts with all leaves of the older (RFC 9162 2.1.4.2).

    Raises:
        ConsistencyNotProven: with the reason; size 0 commits to nothing and is refused.
    """
    if not 1 <= old_size <= new_size:
        raise ConsistencyNotProven(f"The older size {old_size} is not from 1 to {new_size}.")
    if any(len(item) != HASH_BYTES for item in (old_root, new_root, *path)):
        raise ConsistencyNotProven("Every hash must have 32 bytes.")
    level = _lowest_bit(old_size)
    position, last = (old_size - 1) >> level, (new_size - 1) >> level
    # A power of two is one full subtree, so its root is known and left out of the path.
    known = position == 0 or old_size == new_size
    hashes = (old_root, *path) if known else path
    turns = _turns(position, last) if old_size != new_size else []
    if len(hashes) != len(turns) + 1:
        raise ConsistencyNotProven(f"The path has {len(path)} hashes, wrong for these sizes.")
    old = new = hashes[0]
    for sibling, on_left in zip(hashes[1:], turns, strict=True):
        old = _node(sibling, old) if on_left else old
        new = _node(sibling, new) if on_left else _node(new, sibling)
    if (old, new) != (old_root, new_root):
        raise ConsistencyNotProven("The path does not lead to both roots.")
