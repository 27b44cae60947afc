"""Remind of requests that nobody has confirmed, once; let them expire and forget who sent them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import OuterRef, Q, Subquery
from django.db.models.functions import Coalesce

from audits.models import ErasureRequest, Intake, Letter, ProcessingStop
from audits.queries.policy_values import in_force
from audits.services import letters, retention
from audits.services.transitions import move

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from django.db.models import QuerySet

S = ErasureRequest.Status
REMINDER = "CONFIRM_REMINDER"
AT_ONCE = 10  # the others follow with the next sweep


def expire_unconfirmed(*, now: datetime) -> int:
    """Close every request whose link has expired unused and forget who sent it; return how many.

    At most ``AT_ONCE``, the oldest first.

    Anybody can type anybody's address into the form: what was never confirmed is not kept. The
    key of the case goes too, so that the commitment in the log means nothing any more. What staff
    entered stays: it came on paper or by word of mouth, and they check who asks.
    """
    expired = _sent_before(now - _life()).order_by("received_at").values_list("pk", flat=True)
    return sum(_expire(case_id, now) for case_id in list(expired[:AT_ONCE]))


def remind_unconfirmed(*, now: datetime) -> int:
    """Write once to whoever has half of the time left to confirm; return to how many.

    The letter names the link sent before and holds none: links are stored as digests only.
    """
    waiting = _sent_before(now - _life() / 2).exclude(pk__in=_sent_before(now - _life()))
    # The least tried first, so that letters that cannot be sent are in nobody's way.
    tries = Letter.objects.filter(code=REMINDER, request=OuterRef("pk")).values("attempts")
    waiting = waiting.annotate(tries=Coalesce(Subquery(tries[:1]), 0)).order_by("tries", "pk")
    reminded = Letter.objects.filter(code=REMINDER).exclude(sent_at=None).values("request")
    return sum(
        letters.send_letter(
            request=request, code=REMINDER, now=now, context={"until": _sent_at(request) + _life()}
        )
        for request in waiting.exclude(email="").exclude(pk__in=reminded)[:AT_ONCE]
    )


def _sent_before(at: datetime) -> QuerySet[ErasureRequest]:
    # A link works from when it was sent, which for another system's request is not its receipt.
    by_form = Q(intake=None, received_at__lt=at)
    by_key = Q(intake__source=Intake.Source.API, intake__entered_at__lt=at)
    return ErasureRequest.objects.filter(by_form | by_key, status=S.RECEIVED)


def _sent_at(request: ErasureRequest) -> datetime:
    intake = Intake.objects.filter(request=request).first()
    return intake.entered_at if intake else request.received_at


def _life() -> timedelta:
    return timedelta(hours=in_force("CONFIRM_HOURS"))


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
        ProcessingStop.objects.filter(request_id=case_id).delete()
        retention.destroy_identity(case_id=case_id, now=now)
    return expired
