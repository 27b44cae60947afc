"""The root of a log that is read leaf by leaf, without keeping the leaves."""

from __future__ import annotations

from dataclasses import dataclass, field

from audits.core.ledger import root


@dataclass(kw_only=True)
class GrowingTree:
    """The root of a log while leaves are added, in memory that grows with the logarithm.

    ``peaks`` holds (leaves below, root) of the full subtrees, largest first.
    """

    size: int = 0
    peaks: list[tuple[int, bytes]] = field(default_factory=list)

    def add(self, leaf: bytes) -> None:
        """Add one leaf hash."""
        width, node = 1, leaf
        while self.peaks and self.peaks[-1][0] == width:
            node = root([self.peaks.pop()[1], node])
            width *= 2
        self.peaks.append((width, node))
        self.size += 1

    def root(self) -> bytes:
        """Return the RFC 6962 root over all leaves so far."""
        if not self.peaks:
            return root([])
        node = self.peaks[-1][1]
        for _, left in reversed(self.peaks[:-1]):
            node = root([left, node])
        return node
