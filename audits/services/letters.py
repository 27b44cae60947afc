"""Write to the person. Sending is its own state: a letter that fails never undoes an erasure."""

from __future__ import annotations

import hashlib
import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import Q
from django.template.loader import render_to_string

from audits.models import ErasureRequest, Letter, LogCheckpoint
from audits.queries.addressees import address_of
from audits.services import log

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

CLAIM = timedelta(minutes=5)
logger = logging.getLogger("expunge.letters")

SUBJECTS = {
    "CONFIRM": "Please confirm your erasure request {reference}",
    "EXTENSION": "We need more time for your request {reference}",
    "CONFIRM_REMINDER": "Your request {reference} still waits for you",
    "INFO_NEEDED": "We need more to find your data ({reference})",
    "RESTRICTED": "Your data is restricted ({reference})",
    "LIFT_NOTICE": "The restriction of your data will end ({reference})",
    "ANSWER_ERASED": "Your data has been erased ({reference})",
    "ANSWER_NO_DATA_FOUND": "We hold no data about you ({reference})",
    "ANSWER_REFUSED": "Our decision on your request {reference}",
    "ANSWER_WITHDRAWN": "Your request {reference} was withdrawn",
    "ANSWER_NOT_IDENTIFIED": "We could not identify you ({reference})",
    "ANSWER_RESTRICTION_LIFTED": "The restriction of your data has ended ({reference})",
    "ANSWER_JOINED": "Your request {reference} continues under an earlier one",
}


def send_letter(
    *, request: ErasureRequest, code: str, now: datetime, context: Mapping[str, Any] | None = None
) -> bool:
    """Write and send the letter called ``code`` once; return whether it is sent.

    A failure of the mail server is kept on the letter and can be tried again.
    """
    letter, _ = Letter.objects.get_or_create(
        request=request, code=code, defaults={"created_at": now, "digest": ""}
    )
    address = address_of(request, code)
    if letter.sent_at or not address or not _claimed(letter, now):
        return bool(letter.sent_at)
    body = render_to_string(f"letters/{code.lower()}.txt", _context(request, context or {}))
    message = EmailMessage(
        subject=SUBJECTS[code].format(reference=request.reference),
        body=body,
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[address],
    )
    try:
        message.send()
    except OSError as error:  # every smtplib and file error
        logger.warning(
            "letter %s of %s not sent: %s", code, request.reference, type(error).__name__
        )
        Letter.objects.filter(pk=letter.pk).update(error=type(error).__name__, claimed_at=None)
        return False
    digest = hashlib.sha256(body.encode()).hexdigest()
    with transaction.atomic():
        Letter.objects.filter(pk=letter.pk).update(sent_at=now, digest=digest, error="")
        log.append(
            type="letter_sent",
            case=request.pk,
            now=now,
            data={"letter": code, "digest": digest},
            once=f"letter:{letter.pk}",
        )
    return True


def _claimed(letter: Letter, now: datetime) -> bool:
    """Take the letter to the mail server alone; whoever died there gives it free again."""
    free = Q(claimed_at=None) | Q(claimed_at__lt=now - CLAIM)
    mine = Letter.objects.filter(free, pk=letter.pk, sent_at=None).update(claimed_at=now)
    return bool(mine)


def _context(request: ErasureRequest, extra: Mapping[str, Any]) -> dict[str, Any]:
    checkpoint = LogCheckpoint.objects.order_by("-size").first()
    return {
        "request": request,
        "site": settings.SITE_URL,
        "controller": settings.EXPUNGE_CONTROLLER,
        "contact": settings.EXPUNGE_CONTACT,
        "authority": settings.EXPUNGE_AUTHORITY,
        "hours": settings.EXPUNGE_CONFIRM_HOURS,
        "checkpoint": checkpoint.note if checkpoint else "",
        **extra,
    }
