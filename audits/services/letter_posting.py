"""Letters on paper: by which way a person is answered, and when a letter was posted."""

from __future__ import annotations

from datetime import datetime, time
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction

from audits.core.roles import Right
from audits.models import AnswerRoute, ErasureRequest, Letter
from audits.models.case_secrets import seal
from audits.queries.letter_routes import ADDRESS
from audits.services import four_eyes, log, rights
from audits.services.actors import actor_of
from audits.services.letter_delivery import overtaken, too_late
from lineage.core.worded import not_among, worded, worded_of

if TYPE_CHECKING:
    from datetime import date
    from uuid import UUID

    from django.contrib.auth.models import User

ADDRESS_MOST = 500
State = Letter.State
Way = AnswerRoute.Way


class PostingRefused(ValueError):
    """A letter cannot be marked as posted, or a way of answering not chosen; says why."""


@transaction.atomic
def choose_route(
    *, case_id: UUID, way: str, address: str, requested: bool, user: User, now: datetime
) -> None:
    """Record how the person is answered, and where to if by post; letters that wait follow.

    Raises:
        NotAllowed: the right to enter requests is missing.
        NotYourDecision: it is their own request.
        PostingRefused: the way is unknown, has no address, or the case is answered.
    """
    rights.require(user, Right.ENTER)
    request = ErasureRequest.objects.select_for_update().get(pk=case_id)
    four_eyes.check_stranger(request=request, user=user, action="CHOOSE_ROUTE")
    if way not in Way.values:
        raise PostingRefused(not_among("way", way, Way.values))
    if way == Way.EMAIL and not request.email:
        raise PostingRefused(
            worded("This case has no e-mail address, so it cannot be answered by e-mail.")
        )
    if way == Way.POST and not 0 < len(address.strip()) <= ADDRESS_MOST:
        raise PostingRefused(
            worded(
                "A postal address of 1 to %(most)s letters is needed to answer by post.",
                most=ADDRESS_MOST,
            )
        )
    sealed = seal(case_id, ADDRESS, address.strip().encode()) if way == Way.POST else b""
    fields = {"way": way, "requested": requested, "address": sealed, "set_at": now}
    AnswerRoute.objects.update_or_create(request=request, defaults=fields)
    before, after = State.WAITING, State.TO_POST
    if way == Way.EMAIL:
        before, after = after, before
    ours = Letter.objects.filter(request=request, state=before).exclude(code="CONFIRM")
    ours.update(state=after, next_try_at=now, attempts=1)
    data = {"way": way, "requested": "YES" if requested else "NO"}
    log.append(type="answer_route_set", case=case_id, now=now, actor=actor_of(user), data=data)


def forget_postal_address(*, case_id: UUID) -> None:
    """Delete the postal address of a case that is answered."""
    AnswerRoute.objects.filter(request=case_id).update(address=b"")


@transaction.atomic
def record_posting(*, letter_id: UUID, posted_on: date, user: User, now: datetime) -> Letter:
    """Record the day on which a letter was posted; it counts as sent on that day.

    Raises:
        NotAllowed: the right to handle cases is missing.
        NotYourDecision: it is their own request.
        PostingRefused: the letter does not wait to be posted, or the day cannot be right.
    """
    rights.require(user, Right.HANDLE)
    letter = (
        Letter.objects.select_for_update(of=["self"]).select_related("request").get(pk=letter_id)
    )
    four_eyes.check_stranger(request=letter.request, user=user, action="POST_LETTER")
    zone = ZoneInfo(settings.EXPUNGE_CLOCK_ZONE)
    written, today = letter.created_at.astimezone(zone).date(), now.astimezone(zone).date()
    if letter.state != State.TO_POST:
        raise PostingRefused(
            worded(
                "This letter is not waiting to be posted: it is %(state)s.",
                state=letter.get_state_display().lower(),
            )
        )
    if not written <= posted_on <= today:
        raise PostingRefused(
            worded_of(
                "posted_on",
                "It is %(posted_on)s; allowed are the days from %(written)s, on which the "
                "letter was written, to %(today)s.",
                posted_on=posted_on,
                written=written,
                today=today,
            )
        )
    if too_late(letter, datetime.combine(posted_on, time(12), tzinfo=zone)):
        raise PostingRefused(
            worded_of(
                "posted_on",
                "It is %(posted_on)s; a notice of extension must be posted by %(due_on)s, or"
                " it extends nothing (Art. 12(3)).",
                posted_on=posted_on,
                due_on=letter.request.due_on,
            )
        )
    if overtaken(letter, datetime.combine(posted_on, time(12), tzinfo=zone)):
        raise PostingRefused(
            worded_of(
                "posted_on",
                "It is %(posted_on)s, and the letter names a day by then past as that on "
                "which the restriction ends. Post the new letter instead, which the next "
                "sweep writes.",
                posted_on=posted_on,
            )
        )
    letter.state, letter.posted_on = State.POSTED, posted_on
    letter.sent_at = datetime.combine(posted_on, time(12), tzinfo=zone)
    letter.save(update_fields=["state", "posted_on", "sent_at"])
    _log_posting(letter, posted_on, actor_of(user), now)
    return letter


def _log_posting(letter: Letter, posted_on: date, actor: str, now: datetime) -> None:
    posted = {"letter": letter.code, "posted_on": posted_on.isoformat()}
    sent = {"letter": letter.code, "digest": letter.digest}
    once = f"letter:{letter.pk}"
    case = letter.request_id
    log.append(type="letter_posted", case=case, now=now, actor=actor, data=posted)
    log.append(type="letter_sent", case=case, now=now, actor=actor, data=sent, once=once)
