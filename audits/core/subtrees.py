"""Which kept subtrees a root or a proof of the log is made from, and how (RFC 9162 2.1).

A full subtree is named (level, position): it is over the ``2**level`` leaves from
``position * 2**level`` on. It never changes once it is full, so it is kept with the leaf that
completes it. Every hash of a proof is the root of a range of leaves, and such a range is at most
one full subtree for each bit of its length: a proof reads some 2 log2(n) hashes.
"""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING

from audits.core.ledger import OutsideTree, node_hash

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    Range = tuple[int, int]  # first leaf, and the leaf after the last
    Subtree = tuple[int, int]  # level, position


def kept_with(subtree: Subtree) -> int:
    """The index of the leaf that completes a full subtree."""
    level, position = subtree
    return ((position + 1) << level) - 1


def cover(span: Range) -> list[Subtree]:
    """The full subtrees of a range that the tree has a node for, the largest first.

    The range must start where a subtree as wide as it would start.
    """
    begin, end = span
    found = []
    while begin < end:
        level = (end - begin).bit_length() - 1
        found.append((level, begin >> level))
        begin += 1 << level
    return found


def needed(spans: Iterable[Range]) -> set[Subtree]:
    """The full subtrees from which ``span_hash`` makes the hashes of these ranges."""
    return {subtree for span in spans for subtree in cover(span)}


def span_hash(span: Range, known: Mapping[Subtree, bytes]) -> bytes:
    """The hash of a range that is not empty, from those of its full subtrees."""
    hashes = [known[subtree] for subtree in cover(span)]
    return reduce(lambda right, left: node_hash(left, right), reversed(hashes))


def inclusion_spans(index: int, size: int) -> list[Range]:
    """The ranges of an audit path, from the sibling up (RFC 9162 2.1.3.1). Raises OutsideTree."""
    if not 0 <= index < size:
        raise OutsideTree(f"The tree has {size} leaves, so it has no leaf {index}.")
    begin, end, spans = 0, size, []
    while end - begin > 1:
        middle = _middle(begin, end)
        if index < middle:
            spans.append((middle, end))
            end = middle
        else:
            spans.append((begin, middle))
            begin = middle
    return spans[::-1]


def consistency_spans(older: int, size: int) -> list[Range]:
    """The ranges of a consistency proof, in its order (RFC 9162 2.1.4.1). Raises OutsideTree."""
    if not 1 <= older <= size:
        raise OutsideTree(f"An older size is from 1 to {size}, not {older}: 0 proves nothing.")
    begin, end, spans = 0, size, []
    while end != older:
        middle = _middle(begin, end)
        if older <= middle:
            spans.append((middle, end))
            end = middle
        else:
            spans.append((begin, middle))
            begin = middle
    if begin:  # else it is the older tree itself, whose root the verifier has
        spans.append((begin, end))
    return spans[::-1]


def _middle(begin: int, end: int) -> int:
    """Where a range is split: after the largest power of two that is smaller than it."""
    return begin + (1 << (end - begin - 1).bit_length() - 1)
