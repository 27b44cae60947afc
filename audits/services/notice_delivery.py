"""Write one notice from the text in use, in its addressee's language, and send it by e-mail.

A notice is claimed before it is sent, and what fails is tried again later and later. After a crash
between sending and noting it, it goes out a second time: better told twice than not at all.
"""

from __future__ import annotations

import hashlib
import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import F

from audits.core.letter_layout import LetterIncomplete
from audits.models import Notice
from audits.queries.letter_texts import current_text, phrases
from audits.queries.notices import code_of, locale_of, notice_values
from audits.services import log
from audits.services.letter_writing import filled_in
from audits.services.notice_links import ack_url

if TYPE_CHECKING:
    from datetime import datetime

    from audits.queries.letter_texts import LetterText
    from audits.services.letter_contents import Written

CLAIM = timedelta(minutes=10)
LONGEST = timedelta(days=1)
S = Notice.State
ERROR_MOST = 300
logger = logging.getLogger("expunge.notices")


def write_notice(notice: Notice, now: datetime) -> tuple[Written, LetterText]:
    """Return a notice as it would be sent now, and the text that it is written from.

    Raises:
        LetterIncomplete: a mandatory block has nothing to say.
    """
    locale = locale_of(notice)
    text = current_text(code_of(notice), locale, now)
    return filled_in(text, notice_values(notice, locale, ack_url(notice))), text


def preview_notice(notice: Notice, now: datetime) -> Written:
    """Return a notice without the link that only its addressee gets. Raises LetterIncomplete."""
    written, text = write_notice(notice, now)
    return written.without_links(phrases(text.locale)["hidden"])


def deliver(*, notice: Notice, now: datetime) -> bool:
    """Send a notice that is due to its contact; return whether it was sent now."""
    waiting = Notice.objects.filter(pk=notice.pk, state__in=[S.DUE, S.FAILED], next_at__lte=now)
    to = notice.addressee.contact
    if not to or not waiting.update(next_at=now + CLAIM, attempts=F("attempts") + 1):
        return False
    notice.refresh_from_db(fields=["attempts"])
    try:
        written, text = write_notice(notice, now)
        _message(written, to).send()
    except LetterIncomplete as error:
        _failed(notice, error, str(error), now)
        return False
    except (OSError, ValueError) as error:  # of the mail server; an address with a line break
        _failed(notice, error, type(error).__name__, now)
        return False
    _sent(notice, written, text, now)
    return True


def _message(written: Written, to: str) -> EmailMessage:
    return EmailMessage(
        subject=written.subject,
        body=written.body,
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[to],
    )


@transaction.atomic
def _sent(notice: Notice, written: Written, text: LetterText, now: datetime) -> None:
    digest = hashlib.sha256(written.body.encode()).hexdigest()
    kept = written.without_links(phrases(text.locale)["hidden"])
    # Answered meanwhile, it stays answered.
    this = Notice.objects.filter(pk=notice.pk)
    this.update(
        sent_at=now,
        digest=digest,
        error="",
        locale=text.locale,
        text_version=text.version,
        text=f"{kept.subject}\n\n{kept.body}",
    )
    this.filter(state__in=[S.DUE, S.FAILED]).update(state=S.SENT)
    log.append(
        type="notice_sent",
        case=notice.request_id,
        now=now,
        data={"notice": str(notice.pk), "target": notice.target, "digest": digest},
        once=f"notice:{notice.pk}",
    )


@transaction.atomic
def _failed(notice: Notice, error: Exception, said: str, now: datetime) -> None:
    name = type(error).__name__
    logger.warning("notice %s not sent: %s", notice.pk, name)
    wait = min(CLAIM * 2 ** min(notice.attempts, 10), LONGEST)
    this = Notice.objects.filter(pk=notice.pk, state__in=[S.DUE, S.FAILED])
    this.update(state=S.FAILED, error=said[:ERROR_MOST], next_at=now + wait)
    log.append(
        type="notice_failed",
        case=notice.request_id,
        now=now,
        data={"notice": str(notice.pk), "target": notice.target, "code": log.code_of(name)},
        once=f"notice-failed:{notice.pk}",
    )
