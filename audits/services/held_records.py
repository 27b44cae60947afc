"""Settle records that came in equal or close to one of another target, and log who did."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from pyroaring import BitMap

from audits.core.roles import Right
from audits.queries.holds import holds_on_record
from audits.services import exceptions, forgetting, log
from audits.services.actors import actor_of
from audits.services.closing import DataRemains
from audits.services.exceptions import MustBeKept
from audits.services.refusals import reason_of
from audits.services.rights import require
from lineage.core.worded import worded
from lineage.models import LabelConflict
from lineage.services import holding, purge

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from django.contrib.auth.models import User


@transaction.atomic
def release(*, conflict_id: UUID, user: User, now: datetime) -> LabelConflict:
    """Say that the target of a record is right; where it is held back, training has it now.

    Raises:
        NotAllowed: the member of staff may not handle cases.
        NotHeld: it was settled before.
    """
    require(user, Right.HANDLE)
    found = holding.release(conflict_id=conflict_id)
    _log("label_conflict_released", found, user, now)
    return found


def drop(*, conflict_id: UUID, user: User, now: datetime) -> None:
    """Erase a held record, content and identity, as if it had not come in.

    Raises:
        NotAllowed: the member of staff may not handle cases.
        NotHeld: it is not held (any more).
        MustBeKept: a legal hold, an exception or a restriction covers it; that is logged.
        DataRemains: its file is still there; drop it again.
        JournalFull, JournalMissing: nothing was erased.
    """
    require(user, Right.HANDLE)
    found = LabelConflict.objects.select_related("space").filter(pk=conflict_id).first()
    if found is not None:
        _check_free(found, user, now)
    hard = settings.EXPUNGE_PURGE_MODE == purge.HARD
    receipt = holding.drop(conflict_id=conflict_id, now=now, hard=hard)
    if found is None or receipt.remaining:
        raise DataRemains(
            worded(
                "The record can still be found after the deletion. Check that the store is "
                "writable, then drop it again."
            )
        )
    forgetting.forget_erased(space=found.space)
    with transaction.atomic():
        _log("label_conflict_dropped", found, user, now)


def _check_free(found: LabelConflict, user: User, now: datetime) -> None:
    try:
        _check_droppable(found)
    except MustBeKept as error:
        data = {"action": "DROP_HELD_RECORD", "reason": reason_of(error)}
        with transaction.atomic():
            log.append(type="action_refused", case=None, now=now, actor=actor_of(user), data=data)
        raise


def _check_droppable(found: LabelConflict) -> None:
    exceptions.check_deletable(records={found.space: BitMap([found.ordinal])})
    if holds_on_record(found.space, found.ordinal):
        raise MustBeKept(
            worded(
                "Record %(ordinal)s of %(name)s is under a legal hold and cannot be dropped "
                "before that is released. It stays held back.",
                ordinal=found.ordinal,
                name=found.space.name,
            )
        )


def _log(kind: str, found: LabelConflict, user: User, now: datetime) -> None:
    log.append(
        type=kind,
        case=None,
        now=now,
        actor=actor_of(user),
        data={"conflict": str(found.pk), "space": str(found.space.public_id)},
        once=f"{kind}:{found.pk}",
    )
