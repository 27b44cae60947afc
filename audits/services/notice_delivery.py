"""Send one notice by e-mail. Small, so that another way of sending can take its place.

A notice is claimed before it is sent, and what fails is tried again later and later. After a crash
between sending and noting it, it goes out a second time: better told twice than not at all.
"""

from __future__ import annotations

import hashlib
import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import F
from django.template.loader import render_to_string

from audits.models import Notice
from audits.services import log

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

CLAIM = timedelta(minutes=10)
LONGEST = timedelta(days=1)
SUBJECTS = {
    "RECIPIENT": "Erasure of data that you received from {controller}",
    "PUBLICATION": "Erasure of data that was published at your place by {controller}",
    "DEPLOYMENT": "Take a model version out of use ({controller})",
}
S = Notice.State
logger = logging.getLogger("expunge.notices")


def deliver(*, notice: Notice, context: Mapping[str, Any], now: datetime) -> bool:
    """Send a notice that is due to its contact; return whether it was sent now."""
    waiting = Notice.objects.filter(pk=notice.pk, state__in=[S.DUE, S.FAILED], next_at__lte=now)
    to = notice.addressee.contact
    if not to or not waiting.update(next_at=now + CLAIM, attempts=F("attempts") + 1):
        return False
    notice.refresh_from_db(fields=["attempts"])
    body = render_to_string(f"notices/{notice.target.lower()}.txt", dict(context))
    try:
        _send(notice.target, to, body)
    except (OSError, ValueError) as error:  # of the mail server; an address with a line break
        _failed(notice, error, now)
        return False
    _sent(notice, hashlib.sha256(body.encode()).hexdigest(), now)
    return True


def _send(target: str, to: str, body: str) -> None:
    subject = SUBJECTS[target].format(controller=settings.EXPUNGE_CONTROLLER)
    EmailMessage(
        subject=subject, body=body, from_email=settings.DEFAULT_FROM_EMAIL, to=[to]
    ).send()


@transaction.atomic
def _sent(notice: Notice, digest: str, now: datetime) -> None:
    # Answered meanwhile, it stays answered.
    this = Notice.objects.filter(pk=notice.pk)
    this.update(sent_at=now, digest=digest, error="")
    this.filter(state__in=[S.DUE, S.FAILED]).update(state=S.SENT)
    log.append(
        type="notice_sent",
        case=notice.request_id,
        now=now,
        data={"notice": str(notice.pk), "target": notice.target, "digest": digest},
        once=f"notice:{notice.pk}",
    )


@transaction.atomic
def _failed(notice: Notice, error: Exception, now: datetime) -> None:
    name = type(error).__name__
    logger.warning("notice %s not sent: %s", notice.pk, name)
    wait = min(CLAIM * 2 ** min(notice.attempts, 10), LONGEST)
    this = Notice.objects.filter(pk=notice.pk, state__in=[S.DUE, S.FAILED])
    this.update(state=S.FAILED, error=name[:64], next_at=now + wait)
    log.append(
        type="notice_failed",
        case=notice.request_id,
        now=now,
        data={"notice": str(notice.pk), "target": notice.target, "code": log.code_of(name)},
        once=f"notice-failed:{notice.pk}",
    )
