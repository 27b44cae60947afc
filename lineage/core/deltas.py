"""A snapshot stored as differences from another one, and put together again.

A row is a difference (XOR) or, where that is smaller, the whole chunk anew; a chunk that did not
change has no row.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pyroaring import BitMap, FrozenBitMap

from lineage.core.bitmaps import Chunk, cut, split

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

# Every so many snapshots one is stored whole, so that reading one never walks further than this.
LONGEST_CHAIN = 255
_WORTH = 0.8  # a difference must be smaller than this share of the whole


def differences(
    base: BitMap | FrozenBitMap, members: BitMap, whole: Sequence[Chunk]
) -> list[Chunk] | None:
    """Return the rows that turn ``base`` into ``members``; None when they save too little.

    Args:
        base: the members of the base.
        members: those of the snapshot.
        whole: the chunks of ``members``, as ``split`` cuts them.
    """
    full = {chunk.number: chunk for chunk in whole}
    rows = [
        _smaller(replace(delta, is_delta=True), full.get(delta.number))
        for delta in split(members ^ base)
    ]
    cost = sum(len(row.payload) for row in rows)
    return rows if cost < _WORTH * sum(len(chunk.payload) for chunk in whole) else None


def _smaller(delta: Chunk, full: Chunk | None) -> Chunk:
    full = cut(BitMap(), delta.number) if full is None else full
    return full if len(full.payload) <= len(delta.payload) else delta


def states(
    chain: Iterable[tuple[int, int | None]], rows: Mapping[int, tuple[bool, BitMap]]
) -> dict[int, BitMap]:
    """Return one chunk of each snapshot, empty ones left out.

    Args:
        chain: (number, number of its base) of each snapshot, each after its base; a base that
            is not among them counts as empty.
        rows: by snapshot, whether its row is a difference, and its bitmap.
    """
    found: dict[int, BitMap] = {}
    for seq, base in chain:
        before = found.get(base) if base is not None else None
        row = rows.get(seq)
        if row is None:
            state = before
        elif row[0] and before is not None:
            state = before ^ row[1]
        else:
            state = row[1]
        if state:
            found[seq] = state
    return found


def rows_of(
    chain: Iterable[tuple[int, int | None]], held: Mapping[int, BitMap], number: int
) -> Iterator[tuple[int, Chunk]]:
    """Yield the rows of one chunk from which ``states`` makes ``held`` again.

    Args:
        chain: (number, number of its base) of each snapshot, each after its base.
        held: the members of that chunk by snapshot.
        number: of the chunk.
    """
    for seq, base in chain:
        members = held.get(seq, BitMap())
        before = held.get(base, BitMap()) if base is not None else BitMap()
        if members == before:
            continue
        whole = cut(members, number)
        if base is None:
            yield seq, whole
        else:
            yield seq, _smaller(replace(cut(members ^ before, number), is_delta=True), whole)
