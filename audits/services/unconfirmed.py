"""Remind of requests that nobody has confirmed, once; let them expire and forget who sent them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Coalesce

from audits.models import ErasureRequest, Intake, PersonalDetails, ProcessingStop
from audits.services import letters, log
from audits.services.transitions import move
from lineage import keys

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from django.db.models import QuerySet

S = ErasureRequest.Status
REMINDER = "CONFIRM_REMINDER"


def expire_unconfirmed(*, now: datetime) -> int:
    """Close every request whose link has expired unused and forget who sent it; return how many.

    Anybody can type anybody's address into the form: what was never confirmed is not kept. The
    key of the case goes too, so that the commitment in the log means nothing any more. What staff
    entered stays: it came on paper or by word of mouth, and they check who asks.
    """
    expired = _unconfirmed().filter(since__lt=now - _life())
    return sum(_expire(case_id, now) for case_id in list(expired.values_list("pk", flat=True)))


def remind_unconfirmed(*, now: datetime) -> int:
    """Write once to whoever has half of the time left to confirm; return to how many.

    The letter names the link sent before and holds none: links are stored as digests only.
    """
    waiting = (
        _unconfirmed()
        .exclude(email="")
        .exclude(letters__code=REMINDER, letters__sent_at__isnull=False)
    )
    waiting = waiting.filter(since__lt=now - _life() / 2, since__gte=now - _life())
    sent = [
        letters.send_letter(
            request=request, code=REMINDER, now=now, context={"until": request.since + _life()}
        )
        for request in waiting
    ]
    return sum(sent)


def _unconfirmed() -> QuerySet[ErasureRequest]:
    # A link works from when it was sent, which for another system's request is not its receipt.
    return (
        ErasureRequest.objects.filter(status=S.RECEIVED)
        .exclude(intake__source=Intake.Source.STAFF)
        .annotate(since=Coalesce("intake__entered_at", "received_at"))
    )


def _life() -> timedelta:
    return timedelta(hours=settings.EXPUNGE_CONFIRM_HOURS)


def _expire(case_id: UUID, now: datetime) -> bool:
    with transaction.atomic():
        expired = move(
            case_id=case_id,
            to=S.EXPIRED,
            now=now,
            event=("request_expired", {}),
            fields={
                "email": "",
                "confirm_digest": "",
                "outcome": ErasureRequest.Outcome.EXPIRED,
            },
        )
        PersonalDetails.objects.filter(request_id=case_id).delete()
        ProcessingStop.objects.filter(request_id=case_id).delete()
        log.append(type="case_key_destroyed", case=case_id, now=now, once=f"case key:{case_id}")
    keys.destroy(f"case:{case_id}")
    return expired
