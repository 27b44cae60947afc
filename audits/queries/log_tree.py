"""Roots and proofs of the log from the subtrees kept with its leaves: some 2 log2(n) rows each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audits.core import subtrees
from audits.core.growing_tree import HASH_BYTES
from audits.core.ledger import root
from audits.models import LogLeaf

if TYPE_CHECKING:
    from collections.abc import Iterable

    from audits.core.subtrees import Range, Subtree

_AT_ONCE = 500  # SQLite may take no more than 999 parameters


class SubtreeMissing(Exception):
    """A leaf does not keep the subtrees that it completes; ``manage.py fsck`` says which."""


def root_at(size: int) -> bytes:
    """Return the root of the first ``size`` leaves. Raises SubtreeMissing."""
    if not size:
        return root([])
    return subtrees.span_hash((0, size), _read([(0, size)]))


def inclusion_paths(indices: Iterable[int], size: int) -> dict[int, list[bytes]]:
    """Return the audit path of each leaf in the tree of ``size``.

    Raises:
        OutsideTree: an index is not in the tree.
        SubtreeMissing: the log was altered.
    """
    spans = {index: subtrees.inclusion_spans(index, size) for index in indices}
    known = _read(span for path in spans.values() for span in path)
    return {index: _hashes(path, known) for index, path in spans.items()}


def consistency_path(older: int, size: int) -> list[bytes]:
    """Return the proof that the first ``size`` leaves extend the first ``older``.

    Raises as ``inclusion_paths``.
    """
    spans = subtrees.consistency_spans(older, size)
    return _hashes(spans, _read(spans))


def _hashes(spans: Iterable[Range], known: dict[Subtree, bytes]) -> list[bytes]:
    return [subtrees.span_hash(span, known) for span in spans]


def _read(spans: Iterable[Range]) -> dict[Subtree, bytes]:
    wanted = subtrees.needed(spans)
    indices = sorted({*map(subtrees.kept_with, wanted)})
    rows: dict[int, bytes] = {}
    for start in range(0, len(indices), _AT_ONCE):
        found = LogLeaf.objects.filter(index__in=indices[start : start + _AT_ONCE])
        rows |= {
            index: bytes(leaf) + bytes(nodes)
            for index, leaf, nodes in found.values_list("index", "leaf_hash", "nodes")
        }
    return {subtree: _kept(subtree, rows) for subtree in wanted}


def _kept(subtree: Subtree, rows: dict[int, bytes]) -> bytes:
    index, start = subtrees.kept_with(subtree), subtree[0] * HASH_BYTES
    found = rows.get(index, b"")[start : start + HASH_BYTES]
    if len(found) != HASH_BYTES:
        raise SubtreeMissing(f"Leaf {index} does not keep its subtree of level {subtree[0]}.")
    return found
