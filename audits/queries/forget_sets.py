"""Which records a case erases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyroaring import BitMap

from lineage.models import OrdinalSpace, Restriction

if TYPE_CHECKING:
    from uuid import UUID


def forget_set(*case_ids: UUID) -> dict[OrdinalSpace, BitMap]:
    """Return the ordinals that one or several cases erase, by space: what they have restricted."""
    rows = Restriction.objects.filter(case_id__in=case_ids).select_related("space")
    found: dict[OrdinalSpace, BitMap] = {}
    for row in rows.order_by("space_id", "pk"):
        own = BitMap.deserialize(bytes(row.bitmap))
        found[row.space] = found.get(row.space, BitMap()) | own
    return found
