"""Which records a case erases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyroaring import BitMap

from lineage.models import OrdinalSpace, Restriction

if TYPE_CHECKING:
    from uuid import UUID


def forget_set(case_id: UUID) -> dict[OrdinalSpace, BitMap]:
    """Return the ordinals that the case erases, by space: what it has restricted."""
    rows = Restriction.objects.filter(case_id=case_id).select_related("space").order_by("space_id")
    return {row.space: BitMap.deserialize(bytes(row.bitmap)) for row in rows}
