"""Restrict records (GDPR Art. 18): from this moment no training view serves them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from lineage.core.bitmaps import decode, encode
from lineage.models import Restriction
from lineage.services.locking import lock_space
from lineage.services.snapshots import check_known

if TYPE_CHECKING:
    import uuid
    from datetime import datetime

    from pyroaring import BitMap

    from lineage.models import OrdinalSpace


@transaction.atomic
def restrict(
    *, case_id: uuid.UUID, space: OrdinalSpace, ordinals: BitMap, now: datetime
) -> Restriction:
    """Restrict records for a case; again, it adds ordinals and takes none away.

    A restriction that was lifted begins anew, with these ordinals only.

    Raises:
        OrdinalsUnknown: the space has not handed them out.
    """
    # The same lock as `finish_run`: a run either sees the restriction or is seen by the closure.
    check_known(lock_space(space.id), ordinals)
    restriction, created = Restriction.objects.select_for_update().get_or_create(
        space=space,
        case_id=case_id,
        defaults={"bitmap": encode(ordinals), "started_at": now},
    )
    if created:
        return restriction
    if restriction.lifted_at is None:
        restriction.bitmap = encode(decode(bytes(restriction.bitmap)) | ordinals)
    else:
        restriction.bitmap = encode(ordinals)
        restriction.started_at, restriction.lifted_at = now, None
    restriction.save()
    return restriction


@transaction.atomic
def take_out(*, case_id: uuid.UUID, space: OrdinalSpace, ordinals: BitMap, now: datetime) -> None:
    """Take records out of what a case restricts; a restriction of nothing more is lifted."""
    lock_space(space.id)
    rows = Restriction.objects.select_for_update().filter(case_id=case_id, lifted_at=None)
    for restriction in rows.filter(space=space):
        left = decode(bytes(restriction.bitmap)) - ordinals
        if left:
            restriction.bitmap = encode(left)
        else:
            restriction.lifted_at = now
        restriction.save()


def lift(*, case_id: uuid.UUID, now: datetime) -> int:
    """Lift what a case restricted, in every space; return how many restrictions ended."""
    return Restriction.objects.filter(case_id=case_id, lifted_at=None).update(lifted_at=now)
