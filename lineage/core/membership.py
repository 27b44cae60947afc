"""The digest of a snapshot: a Merkle tree over its chunks, so that one chunk can be proven alone.

The tree has the shape of RFC 6962 section 2.1. Leaves and inner nodes carry prefixes of their
own, every leaf names this format, and the digest commits to the number of leaves: without that
nobody could prove that there is no chunk between two neighbours.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_DOMAIN = b"expunge/membership/v1"


def leaf(number: int, sha256: bytes) -> bytes:
    """Hash one chunk: its number (4 bytes, big-endian) and the SHA-256 of its bytes."""
    return hashlib.sha256(b"\x00" + _DOMAIN + number.to_bytes(4, "big") + sha256).digest()


def snapshot_digest(chunks: Iterable[tuple[int, bytes]]) -> str:
    """Return the digest over (chunk number, SHA-256) pairs, in hexadecimal.

    The pairs may come in any order.
    """
    leaves = [leaf(number, sha256) for number, sha256 in sorted(chunks)]
    return committed(len(leaves), levels(leaves)[-1][0] if leaves else b"").hex()


def committed(leaves: int, root: bytes) -> bytes:
    """Return the digest of a tree with so many leaves and this root (empty without leaves)."""
    return hashlib.sha256(b"\x02" + _DOMAIN + leaves.to_bytes(4, "big") + root).digest()


def inner(left: bytes, right: bytes) -> bytes:
    """Hash two nodes."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def levels(leaves: Sequence[bytes]) -> list[list[bytes]]:
    """Return the nodes of the tree level by level, the leaves first and the root last."""
    found = [list(leaves)]
    while len(level := found[-1]) > 1:
        above = [inner(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
        found.append(above + level[len(above) * 2 :])  # a lone last node is carried up unchanged
    return found


def path(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """Return the siblings on the way from a leaf to the root, the lowest first."""
    siblings = []
    for level in levels(leaves)[:-1]:
        if index ^ 1 < len(level):
            siblings.append(level[index ^ 1])
        index //= 2
    return siblings


def root_of(own: bytes, index: int, size: int, siblings: Iterable[bytes]) -> bytes:
    """Return the root that a leaf and its siblings give in a tree of ``size`` leaves.

    Raises:
        ValueError: the number of siblings does not fit the place of the leaf.
    """
    if not 0 <= index < size:
        raise ValueError(f"The leaf {index} is not one of {size}.")
    waiting = list(siblings)
    while size > 1:
        if index ^ 1 < size:
            if not waiting:
                raise ValueError("The path of the proof is too short.")
            sibling = waiting.pop(0)
            own = inner(sibling, own) if index % 2 else inner(own, sibling)
        index, size = index // 2, -(-size // 2)
    if waiting:
        raise ValueError("The path of the proof is too long.")
    return own
