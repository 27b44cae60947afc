"""The root of a log that is read leaf by leaf, without keeping the leaves."""

from __future__ import annotations

from dataclasses import dataclass, field

from audits.core.ledger import node_hash, root

HASH_BYTES = 32


class EdgeMismatch(ValueError):
    """A packed right edge does not have one hash for each full subtree of its size."""


@dataclass(kw_only=True)
class GrowingTree:
    """The right edge of a tree: its root, and the next leaf, in time and memory of a logarithm.

    ``peaks`` holds (leaves below, root) of the full subtrees, largest first (RFC 9162 2.1; the
    compact range of transparency logs that starts at 0).
    """

    size: int = 0
    peaks: list[tuple[int, bytes]] = field(default_factory=list)

    def add(self, leaf: bytes) -> list[bytes]:
        """Add one leaf hash; return the roots of the subtrees it completes, from two leaves up."""
        width, node, completed = 1, leaf, []
        while self.peaks and self.peaks[-1][0] == width:
            node = node_hash(self.peaks.pop()[1], node)
            completed.append(node)
            width *= 2
        self.peaks.append((width, node))
        self.size += 1
        return completed

    def root(self) -> bytes:
        """Return the RFC 6962 root over all leaves so far."""
        if not self.peaks:
            return root([])
        node = self.peaks[-1][1]
        for _, left in reversed(self.peaks[:-1]):
            node = node_hash(left, node)
        return node

    def pack(self) -> bytes:
        """The hashes of the peaks, largest first, 32 bytes each; the size says their widths."""
        return b"".join(node for _, node in self.peaks)

    @classmethod
    def unpack(cls, size: int, packed: bytes) -> GrowingTree:
        """The tree of ``pack``. Raises EdgeMismatch unless there is a hash for each peak."""
        if len(packed) != HASH_BYTES * size.bit_count():
            raise EdgeMismatch(
                f"A tree of {size} leaves has {size.bit_count()} full subtrees; its edge "
                f"has {len(packed)} bytes, not {HASH_BYTES} for each."
            )
        widths = [1 << bit for bit in reversed(range(size.bit_length())) if size >> bit & 1]
        starts = range(0, len(packed), HASH_BYTES)
        hashes = [packed[start : start + HASH_BYTES] for start in starts]
        return cls(size=size, peaks=list(zip(widths, hashes, strict=True)))
