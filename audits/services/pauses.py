"""Let a clock stand still while the person is asked something, where law and settings allow it.

While a pause is open the due date stays; at its end it moves, and both dates are shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from audits.core.roles import Right
from audits.models import ClockPause, ErasureRequest
from audits.queries import clocks
from audits.queries.pausing import why_not
from audits.services import four_eyes, log
from audits.services.actors import actor_of
from audits.services.clocks import settle
from audits.services.rights import require

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from django.contrib.auth.models import User


class PauseRefused(Exception):
    """The clock of the case does not pause; the sentence says why."""


@transaction.atomic
def begin_pause(*, case_id: UUID, reason: str, user: User, now: datetime) -> bool:
    """Stop the clock of a case; False when it stands still already.

    Raises:
        NotAllowed: the user may not handle cases.
        NotYourDecision: it is their own request.
        PauseRefused: pauses are off, or the law knows none for this reason, or it is too late.
    """
    require(user, Right.HANDLE)
    request = ErasureRequest.objects.select_for_update().get(pk=case_id)
    four_eyes.check_stranger(request=request, user=user, action="PAUSE_CLOCK")
    if refusal := why_not(request, reason, now):
        raise PauseRefused(refusal)
    if request.clock_pauses.filter(until=None).exists():
        return False
    ClockPause.objects.create(request=request, reason=reason, since=now)
    log.append(
        type="clock_paused", case=case_id, now=now, actor=actor_of(user), data={"reason": reason}
    )
    return True


@transaction.atomic
def end_pause(
    *, case_id: UUID, now: datetime, user: User | None = None, actor: str = log.SUBJECT
) -> bool:
    """Let the clock go on and move the due date; False when it did not stand still.

    Without a user it was ``actor``, by default the person who answered.

    Raises:
        NotAllowed: the user may not handle cases.
        NotYourDecision: it is their own request.
    """
    if user:
        require(user, Right.HANDLE)
    request = ErasureRequest.objects.select_for_update().get(pk=case_id)
    if user:
        four_eyes.check_stranger(request=request, user=user, action="RESUME_CLOCK")
    pause = ClockPause.objects.filter(request_id=case_id, until=None).first()
    if pause is None:
        return False
    pause.until = max(now, pause.since)
    pause.save(update_fields=["until"])
    due_on = settle(case_id=case_id, pause_ended=True)
    where = clocks.place()
    days = (where.local_date(pause.until) - where.local_date(pause.since)).days
    log.append(
        type="clock_resumed",
        case=case_id,
        now=now,
        actor=actor_of(user) if user else actor,
        data={"reason": pause.reason, "days": days, "due_on": due_on},
    )
    return True
