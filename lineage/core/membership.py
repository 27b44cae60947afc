"""The digest of a snapshot: a Merkle root over its chunks, so one chunk can be proven alone.

The tree has the shape of RFC 6962 section 2.1. Leaves and inner nodes carry prefixes of their
own, and every leaf names this format, so that no digest made for another purpose fits here.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_DOMAIN = b"expunge/membership/v1"


def leaf(number: int, sha256: bytes) -> bytes:
    """Hash one chunk: its number (4 bytes, big-endian) and the SHA-256 of its bytes."""
    return hashlib.sha256(b"\x00" + _DOMAIN + number.to_bytes(4, "big") + sha256).digest()


def snapshot_digest(chunks: Iterable[tuple[int, bytes]]) -> str:
    """Return the root over (chunk number, SHA-256) pairs, in hexadecimal.

    The pairs may come in any order. A snapshot without members has the hash of the domain alone.
    """
    level = [leaf(number, sha256) for number, sha256 in sorted(chunks)]
    while len(level) > 1:
        pairs = range(0, len(level) - 1, 2)
        above = [hashlib.sha256(b"\x01" + level[i] + level[i + 1]).digest() for i in pairs]
        level = above + level[len(above) * 2 :]  # a lone last node is carried up unchanged
    return (level[0] if level else hashlib.sha256(_DOMAIN).digest()).hex()
