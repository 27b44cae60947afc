"""A tree that keeps its subtrees as the log does, in memory; it counts what is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audits.core import subtrees
from audits.core.growing_tree import GrowingTree

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class KeptTree:
    def __init__(self, hashes: Iterable[bytes]) -> None:
        grown = GrowingTree()
        self.kept = [[leaf, *grown.add(leaf)] for leaf in hashes]
        self.read = 0

    def root(self, size: int) -> bytes:
        return self._hashes([(0, size)])[0]

    def inclusion(self, index: int, size: int) -> list[bytes]:
        return self._hashes(subtrees.inclusion_spans(index, size))

    def consistency(self, older: int, size: int) -> list[bytes]:
        return self._hashes(subtrees.consistency_spans(older, size))

    def _hashes(self, spans: Sequence[subtrees.Range]) -> list[bytes]:
        wanted = subtrees.needed(spans)
        self.read = len(wanted)
        known = {one: self.kept[subtrees.kept_with(one)][one[0]] for one in wanted}
        return [subtrees.span_hash(span, known) for span in spans]
