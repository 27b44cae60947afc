"""Who leaves with whom: a rebuild takes all whom no training may use out of its own shards.

In the other shards it changes nothing, so whoever is restricted there stays in the vote, as in the
one before, until a rebuild of their own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lineage.core.bitmaps import union

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyroaring import BitMap


def touched(shards: Sequence[BitMap], records: BitMap) -> list[int]:
    """Return the numbers of the shards that hold any of some records."""
    return [number for number, held in enumerate(shards) if held.intersect(records)]


def left_out(shards: Sequence[BitMap], *, forgotten: BitMap, barred: BitMap) -> BitMap:
    """Return the records that are gone after a rebuild of the shards that hold any forgotten one.

    Args:
        shards: the records of each shard; none where the training was not cut into shards.
        forgotten: what must go, whichever shard holds it.
        barred: what no training may read.
    """
    hit = set(touched(shards, forgotten))
    others = union(held for number, held in enumerate(shards) if number not in hit)
    return forgotten | (barred - others)
