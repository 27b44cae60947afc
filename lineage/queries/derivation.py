"""From records to the records that were derived from them, in whatever space these are."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
    waiting = list(found.items())
    while waiting:
        space, fresh = waiting.pop()
        for derived, members in _derived(space, fresh).items():
            new = members - found.get(derived, BitMap())
            if new:
                found[derived] = found.get(derived, BitMap()) | new
                waiting.append((derived, new))
    return found


def _derived(space: OrdinalSpace, sources: BitMap) -> dict[OrdinalSpace, BitMap]:
    parts: dict[int, list[BitMap]] = {}
    for row in _rows(space, sources):
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


def _rows(space: OrdinalSpace, sources: BitMap) -> Iterator[RecordMapBlock]:
    numbers = sorted(set((to_array(sources) // BLOCK).tolist()))
    for start in range(0, len(numbers), _AT_ONCE):
        yield from RecordMapBlock.objects.filter(
            source_space=space, block_no__in=numbers[start : start + _AT_ONCE]
        ).iterator()
