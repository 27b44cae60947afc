"""Give a written letter to the mail server, again later where it did not take it.

A letter that cannot be sent is a state of the letter: what the case did stands (docs/letters.md).
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import F, Q

from audits.core.letter_layout import one_line
from audits.models import ErasureRequest, Letter, ProcessingStop
from audits.models.case_secrets import NotReadable
from audits.queries.letter_routes import address_of
from audits.queries.letter_texts import phrases
from audits.services import log
from audits.services.letter_contents import Written, open_letter, seal_letter
from audits.services.pacing import within_seconds
from lineage import keys

if TYPE_CHECKING:
    from datetime import datetime

CLAIM = timedelta(minutes=5)
# After the first try, the second follows in five minutes; after the fifth there is no other.
BACK_OFF = tuple(timedelta(minutes=minutes) for minutes in (5, 60, 6 * 60, 24 * 60))
NOBODY = "Nobody is left to send it to, or it would come too late."
UNSENT = (Letter.State.WAITING, Letter.State.FAILED)
TO_CONFIRM = ("CONFIRM", "CONFIRM_REMINDER")
State = Letter.State
logger = logging.getLogger("expunge.letters")


def deliver(*, letter: Letter, now: datetime) -> bool:
    """Send a waiting letter whose time has come, unless somebody is at it; return if it went."""
    if letter.state != State.WAITING or not _claimed(letter, now):
        return Letter.objects.filter(pk=letter.pk, state=State.SENT).exists()
    letter.refresh_from_db()
    try:
        written = open_letter(letter.request_id, letter.pk, bytes(letter.content))
    except NotReadable:
        written = None
    to = _address(letter)
    if written is None or not to or too_late(letter, now) or overtaken(letter, now):
        _drop(letter)
        return False
    try:
        _message(letter, written, to).send()
    except (OSError, ValueError) as error:  # of mail server and files; what it cannot encode
        _failed(letter, type(error).__name__, now)
        return False
    _sent(letter, written, now)
    return True


def deliver_waiting(*, now: datetime) -> int:
    """Try again letters whose time has come, for some seconds; return how many were sent.

    What fails waits longer each time, so that it does not keep others from their turn.
    """
    lost = Q(next_try_at=None, created_at__lt=now - CLAIM)  # whoever wrote it died
    lost |= Q(next_try_at=None, created_at__gt=now + CLAIM)  # before the clock was set back
    due = Letter.objects.filter(lost | Q(next_try_at__lte=now), state=State.WAITING)
    written = due.exclude(content=b"").select_related("request").order_by("created_at", "code")
    return sum(deliver(letter=letter, now=now) for letter in within_seconds(written, "letters"))


@transaction.atomic
def try_again(*, letter: Letter, now: datetime) -> bool:
    """Let a letter that failed, or that waits for its next try, be sent again at once."""
    again = {"state": State.WAITING, "attempts": 0, "next_try_at": now, "claimed_at": None}
    return bool(Letter.objects.filter(pk=letter.pk, state__in=UNSENT).update(**again))


def too_late(letter: Letter, now: datetime) -> bool:
    """Return whether a notice of extension would come after the day that it extends.

    It must reach the person within the first period (Art. 12(3)), or extends nothing.
    """
    due = letter.request.due_on
    today = now.astimezone(ZoneInfo(settings.EXPUNGE_CLOCK_ZONE)).date()
    return letter.code == "EXTENSION" and due is not None and today > due


def overtaken(letter: Letter, now: datetime) -> bool:
    """Return whether the day that a letter names has come; another one names a new day."""
    today = now.astimezone(ZoneInfo(settings.EXPUNGE_CLOCK_ZONE)).date()
    stop = ProcessingStop.objects.filter(request=letter.request_id, lift_on__lte=today)
    return letter.code == "LIFT_NOTICE" and stop.exists()


def _claimed(letter: Letter, now: datetime) -> bool:
    """Take the letter to the mail server alone; whoever died there gives it free again."""
    free = Q(claimed_at=None) | Q(claimed_at__lt=now - CLAIM)
    free |= Q(claimed_at__gt=now + CLAIM)  # before the clock was set back
    due = Q(next_try_at=None) | Q(next_try_at__lte=now)
    mine = Letter.objects.filter(free & due, pk=letter.pk, state=State.WAITING)
    return bool(mine.update(claimed_at=now))


def _address(letter: Letter) -> str:
    request = letter.request
    if letter.code in TO_CONFIRM and request.status != ErasureRequest.Status.RECEIVED:
        return ""
    return address_of(request, letter.code)


def _message(letter: Letter, written: Written, to: str) -> EmailMessage:
    """Return the e-mail of a letter, which has the same Message-ID each time that it is sent.

    Whoever dies between the mail server's answer and ours leaves it to be sent again; by this
    number the receiver's own server can tell that it is the same one. Its second half is the
    host of the site, as the name of a machine is another one in each container.
    """
    return EmailMessage(
        subject=one_line(written.subject),
        body=written.body,
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[one_line(to)],
        headers={"Message-ID": f"<{letter.pk}@{_host()}>"},
    )


def _host() -> str:
    """Return the host of ``SITE_URL`` as it may stand in a header."""
    host = urlsplit(settings.SITE_URL).hostname or "localhost"
    return host if host.isascii() else host.encode("idna").decode()


def _drop(letter: Letter) -> None:
    fields = {"state": State.DROPPED, "claimed_at": None, "error": NOBODY, "content": b""}
    Letter.objects.filter(pk=letter.pk).update(**fields)


def _failed(letter: Letter, error: str, now: datetime) -> None:
    logger.warning("letter %s of %s not sent: %s", letter.code, letter.request.reference, error)
    attempts = letter.attempts + 1
    last = attempts > len(BACK_OFF)
    with transaction.atomic():
        Letter.objects.filter(pk=letter.pk).update(
            state=State.FAILED if last else State.WAITING,
            attempts=F("attempts") + 1,
            next_try_at=None if last else now + BACK_OFF[attempts - 1],
            claimed_at=None,
            error=error,
        )
        if last:
            log_failed(letter, error, attempts, now)


def log_failed(letter: Letter, error: str, attempts: int, now: datetime) -> None:
    """Say in the log that a letter could not be sent or written, by the name of the error."""
    data = {"letter": letter.code, "code": log.code_of(error), "attempts": attempts}
    log.append(type="letter_failed", case=letter.request_id, now=now, data=data)


def _sent(letter: Letter, written: Written, now: datetime) -> None:
    kept = written.without_links(phrases(letter.locale)["hidden"])
    try:
        content = seal_letter(letter.request_id, letter.pk, kept)
    except keys.KeyDestroyed:  # meanwhile
        content = b""
    with transaction.atomic():
        Letter.objects.filter(pk=letter.pk).update(
            state=State.SENT,
            sent_at=now,
            attempts=F("attempts") + 1,
            next_try_at=None,
            content=content,
            error="",
        )
        log.append(
            type="letter_sent",
            case=letter.request_id,
            now=now,
            data={"letter": letter.code, "digest": letter.digest},
            once=f"letter:{letter.pk}",
        )
