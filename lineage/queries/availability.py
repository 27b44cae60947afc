"""Which ordinals of a space may be used: neither restricted nor purged."""

from __future__ import annotations

from itertools import groupby, islice
from operator import itemgetter
from typing import TYPE_CHECKING

from django.db.models import Q
from pyroaring import BitMap

from lineage.core.bitmaps import decode, union
from lineage.models import DataRecord, LineagePurge, OrdinalSpace, Restriction
from lineage.queries.contents import BATCH

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID


def restricted_ordinals(space: OrdinalSpace, *, besides: UUID | None = None) -> BitMap:
    """Return the ordinals under a restriction that was not lifted, but for those of one case."""
    rows = Restriction.objects.filter(space=space, lifted_at=None)
    if besides is not None:
        rows = rows.exclude(case_id=besides)
    return union(decode(bytes(blob)) for blob in rows.values_list("bitmap", flat=True))


def purged_ordinals(space: OrdinalSpace, *, mode: str | None = None) -> BitMap:
    """Return the tombstones: ordinals whose content and identity were erased, in any mode."""
    rows = LineagePurge.objects.filter(space=space)
    if mode is not None:
        rows = rows.filter(mode=mode)
    return union(decode(bytes(blob)) for blob in rows.values_list("bitmap", flat=True))


def barred_ordinals(space: OrdinalSpace) -> BitMap:
    """Return what no training may use: the restricted and the purged ordinals."""
    return restricted_ordinals(space) | purged_ordinals(space)


def usable_ordinals(space: OrdinalSpace) -> BitMap:
    """Return every ordinal handed out so far that training may use."""
    handed_out = OrdinalSpace.objects.values_list("next_ordinal", flat=True).get(id=space.id)
    return BitMap(range(handed_out)) - barred_ordinals(space)


def valid_at(space: OrdinalSpace, ordinals: BitMap, at: datetime) -> BitMap:
    """Return those records that had come by a time and were not erased yet."""
    return valid_together({space: ordinals}, at)[space]


def valid_together(
    records: Mapping[OrdinalSpace, BitMap], at: datetime
) -> dict[OrdinalSpace, BitMap]:
    """Return ``valid_at`` of records in several spaces."""
    spaces = {space.pk: space for space in records}
    found = {space: BitMap() for space in records}
    valid = Q(invalidated_at=None) | Q(invalidated_at__gt=at)
    rows = DataRecord.objects.filter(valid, generated_at__lte=at)
    pairs = ((space.pk, ordinal) for space, held in records.items() for ordinal in held)
    while batch := list(islice(pairs, BATCH)):
        asked = Q()
        for pk, some in groupby(batch, itemgetter(0)):
            asked |= Q(space=pk, ordinal__in=[ordinal for _, ordinal in some])
        for pk, ordinal in rows.filter(asked).values_list("space_id", "ordinal"):
            found[spaces[pk]].add(ordinal)
    return found
