"""The removal that an operator's case ends in: out of training at once, deleted only if chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from audits.models import ErasureRequest, OperatorCase
from audits.queries.forget_sets import forget_set
from audits.queries.operator_cases import chosen_of
from audits.services import closing, log, planning
from audits.services.transitions import move
from lineage.core import bitmaps
from lineage.queries.availability import purged_ordinals
from lineage.queries.derivation import with_derived

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID


@transaction.atomic
def restrict_chosen(*, case_id: UUID, now: datetime) -> bool:
    """Take the approved records, and what was derived from them, out of every training view."""
    case = OperatorCase.objects.select_related("space").get(pk=case_id)
    if not move(case_id=case_id, to=ErasureRequest.Status.RESTRICTED, now=now):
        return False
    records = with_derived({case.space: chosen_of(case)})
    planning.restrict_for(case_id=case_id, records=records, now=now)
    return True


def settle_data(*, case: OperatorCase, request: ErasureRequest, now: datetime) -> None:
    """Delete the records, or note that they stay restricted. Raises as ``closing.erase_data``."""
    if case.disposal == OperatorCase.Disposal.DELETE:
        closing.erase_data(request=request, now=now)
    _keep_apart(request, now)  # with deletion chosen, what has to be kept by now


@transaction.atomic
def _keep_apart(request: ErasureRequest, now: datetime) -> None:
    """Log what stays under the restriction, which is not lifted when the case is sealed.

    Not what a person's case erased meanwhile: of that nothing is kept.
    """
    for space, restricted in forget_set(request.pk).items():
        ordinals = restricted - purged_ordinals(space)
        if not ordinals:
            continue
        log.append(
            type="records_kept_apart",
            case=request.pk,
            now=now,
            data={
                "space": str(space.public_id),
                "records": len(ordinals),
                "digest": bitmaps.digest(ordinals),
            },
            once=f"apart:{request.pk}:{space.public_id}:{bitmaps.digest(ordinals)}",
        )


@transaction.atomic
def mark_removed(*, case_id: UUID, now: datetime) -> bool:
    """Say that no model stands on the records any more; False when it was said before."""
    return move(
        case_id=case_id,
        to=ErasureRequest.Status.ERASED,
        now=now,
        event=("case_removed", {}),
        fields={"outcome": ErasureRequest.Outcome.REMOVED},
    )
