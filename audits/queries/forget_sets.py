"""Which records a case erases."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from pyroaring import BitMap

from audits.models import ErasureRequest
from lineage.core import bitmaps
from lineage.models import OrdinalSpace, Restriction

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from unlearning.models import UnlearningRun


def forget_set(*case_ids: UUID) -> dict[OrdinalSpace, BitMap]:
    """Return the ordinals that one or several cases erase, by space: what they have restricted.

    Not what was given free again, as where an objection was overruled.
    """
    rows = Restriction.objects.filter(case_id__in=case_ids, lifted_at=None).select_related("space")
    found: dict[OrdinalSpace, BitMap] = {}
    for row in rows.order_by("space_id", "pk"):
        own = BitMap.deserialize(bytes(row.bitmap))
        found[row.space] = found.get(row.space, BitMap()) | own
    return found


def listed(forget: Mapping[OrdinalSpace, BitMap]) -> list[dict[str, Any]]:
    """Return what a plan says of the records that it is about, space by space."""
    return [
        {
            "space": str(space.public_id),
            "records": len(ordinals),
            "digest": bitmaps.digest(ordinals),
        }
        for space, ordinals in forget.items()
    ]


def subjects_of(run: UnlearningRun) -> list[int] | None:
    """Return whose each record of a run's forget set is, in the order of ordinals.

    People have random numbers from 0, drawn anew and written nowhere. A record of several is the
    first one's; records that no case has restricted by now are of one more. None if there is one.
    """
    forget = BitMap.deserialize(bytes(run.forget_bitmap))
    owners: dict[int, str] = dict.fromkeys(forget, "")
    for case in ErasureRequest.objects.filter(runs=run).order_by("received_at", "pk"):
        for ordinal in forget & forget_set(case.pk).get(run.space, BitMap()):
            owners[ordinal] = owners[ordinal] or str(case.subject_id or case.pk)
    people = list(dict.fromkeys(owners.values()))
    if len(people) < 2:  # noqa: PLR2004  (several)
        return None
    random.SystemRandom().shuffle(people)
    number = {person: place for place, person in enumerate(people)}
    return [number[owner] for owner in owners.values()]
