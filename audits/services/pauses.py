"""Let a clock stand still while the person is asked something, where law and settings allow it.

While a pause is open the due date stays; at its end it moves, and both dates are shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction

from audits.core.regimes import Effect, PauseReason
from audits.core.roles import Right
from audits.models import CaseClock, ClockPause, ErasureRequest
from audits.queries import clocks
from audits.services import log
from audits.services.clocks import settle
from audits.services.requests import actor_of
from audits.services.rights import require

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from django.contrib.auth.models import User

S = ErasureRequest.Status
OVER = (S.SEALED, S.REFUSED, S.WITHDRAWN, S.EXPIRED)


class PauseRefused(Exception):
    """The clock of the case does not pause; the sentence says why."""


@transaction.atomic
def begin_pause(*, case_id: UUID, reason: str, user: User, now: datetime) -> bool:
    """Stop the clock of a case; False when it stands still already.

    Raises:
        NotAllowed: the user may not handle cases.
        PauseRefused: pauses are off, or the law knows none for this reason, or it is too late.
    """
    require(user, Right.HANDLE)
    request = ErasureRequest.objects.select_for_update().get(pk=case_id)
    _check(request, reason, now)
    if request.clock_pauses.filter(until=None).exists():
        return False
    ClockPause.objects.create(request=request, reason=reason, since=now)
    log.append(
        type="clock_paused", case=case_id, now=now, actor=actor_of(user), data={"reason": reason}
    )
    return True


@transaction.atomic
def end_pause(*, case_id: UUID, now: datetime, user: User | None = None) -> bool:
    """Let the clock go on and move the due date; False when it did not stand still.

    Without a user it was the person who answered.

    Raises:
        NotAllowed: the user may not handle cases.
    """
    if user:
        require(user, Right.HANDLE)
    ErasureRequest.objects.select_for_update().get(pk=case_id)
    pause = ClockPause.objects.filter(request_id=case_id, until=None).first()
    if pause is None:
        return False
    pause.until = max(now, pause.since)
    pause.save(update_fields=["until"])
    due_on = settle(case_id=case_id)
    zone = clocks.place()
    days = (zone.local_date(pause.until) - zone.local_date(pause.since)).days
    log.append(
        type="clock_resumed",
        case=case_id,
        now=now,
        actor=actor_of(user) if user else log.SUBJECT,
        data={"reason": pause.reason, "days": days, "due_on": due_on},
    )
    return True


def _check(request: ErasureRequest, reason: str, now: datetime) -> None:
    clock = CaseClock.objects.filter(request=request).first()
    if clock is None:
        raise PauseRefused(f"Case {request.reference} has no statutory deadline to pause.")
    if not settings.EXPUNGE_IDENTITY_PAUSE:
        raise PauseRefused(
            f"The clock of {request.reference} does not pause: EXPUNGE_IDENTITY_PAUSE is off, and "
            "the time runs from receipt. Ask the person all the same, and answer in time."
        )
    law = clocks.regime(clock.regime)
    if reason not in law.pauses:
        raise PauseRefused(_not_known(request, reason, [str(one) for one in law.pauses], law.name))
    if law.pauses[PauseReason(reason)] is Effect.SHIFTS and request.status == S.RECEIVED:
        raise PauseRefused(
            f"Case {request.reference} was not confirmed by the person; nothing was asked of them."
        )
    if request.status in OVER:
        raise PauseRefused(
            f"Case {request.reference} is {request.get_status_display().lower()}; its clock has "
            "stopped."
        )
    if request.due_on is not None and clocks.today(now) > request.due_on:
        raise PauseRefused(
            f"The answer to {request.reference} was due on {request.due_on:%-d %B %Y}; a clock "
            "that has run out does not pause."
        )


def _not_known(request: ErasureRequest, reason: str, allowed: list[str], law: str) -> str:
    known = f"allowed are {', '.join(allowed)}" if allowed else "it knows no pause"
    return f"The clock of {request.reference} does not pause for {reason!r} under {law}; {known}."
