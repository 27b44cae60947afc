"""From records to the records that were derived from them, in whatever space these are."""

from __future__ import annotations

from itertools import groupby, islice
from operator import itemgetter
from typing import TYPE_CHECKING

from django.db.models import Q
from pyroaring import BitMap

from lineage.core.bitmaps import to_array, union
from lineage.core.record_map import BLOCK, MapBlock, derived_from
from lineage.models import OrdinalSpace, RecordMapBlock

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_AT_ONCE = 500


def with_derived(records: Mapping[OrdinalSpace, BitMap]) -> dict[OrdinalSpace, BitMap]:
    """Return the records and all that was derived from any of them, directly or in steps.

    Recall comes first: a derived record counts although other people's records are among its
    sources too. What shares the space of its source (embeddings, resized or tokenised copies, one
    for one) has the same ordinal and needs no map.

    Raises:
        MapAltered: a block of a map is not what was written.
    """
    found = dict(records)
    waiting = found
    while waiting:
        fresh = {}
        for space, members in _derived(waiting).items():
            if new := members - found.get(space, BitMap()):
                found = {**found, space: found.get(space, BitMap()) | new}
                fresh[space] = new
        waiting = fresh
    return found


def _derived(records: Mapping[OrdinalSpace, BitMap]) -> dict[OrdinalSpace, BitMap]:
    """Return what was derived in one step from any of some records."""
    by_key = {space.pk: (space, sources) for space, sources in records.items()}
    parts: dict[int, list[BitMap]] = {}
    for row in _rows(records):
        space, sources = by_key[row.source_space_id]
        where = f"Block {row.block_no} of the map from {space.name} to {row.derived_space_id}"
        block = MapBlock(
            number=row.block_no,
            offsets=bytes(row.offsets),
            derived=bytes(row.derived),
            sha256=bytes(row.sha256),
        )
        first = row.block_no * BLOCK
        own = sources & BitMap(range(first, first + BLOCK))
        parts.setdefault(row.derived_space_id, []).append(derived_from(block, own, where=where))
    spaces = OrdinalSpace.objects.in_bulk(parts)
    return {spaces[pk]: union(found) for pk, found in parts.items()}


def _rows(records: Mapping[OrdinalSpace, BitMap]) -> Iterator[RecordMapBlock]:
    places = (
        (space.pk, number)
        for space, sources in records.items()
        for number in sorted(set((to_array(sources) // BLOCK).tolist()))
    )
    while some := list(islice(places, _AT_ONCE)):
        asked = Q()
        for pk, numbers in groupby(some, itemgetter(0)):
            asked |= Q(source_space=pk, block_no__in=[number for _, number in numbers])
        yield from RecordMapBlock.objects.filter(asked).iterator()
