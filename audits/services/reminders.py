"""Remind staff of answers that fall due: an event for each stage, and one e-mail for all of them.

The e-mail names cases by their references and holds no personal data. It never goes to a person
whose request it is about.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.auth.models import User
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import F, Q
from django.template.loader import render_to_string

from audits.core.reminders import OVERDUE, WORDS, stage_of
from audits.core.roles import Right
from audits.models import CaseClock
from audits.queries import clocks
from audits.queries.policy_values import in_force
from audits.services import log
from audits.services.rights import has_right

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import QuerySet

logger = logging.getLogger("expunge.reminders")

AT_ONCE = 50  # the others follow with the next sweep
LISTED = 200  # cases that one e-mail names


def note_stages(*, now: datetime) -> int:
    """Log the furthest stage that each unanswered case has newly reached; return how many have.

    Once for each stage and due date: an extension or a pause begins a period of its own. A stage
    that passed unseen, as nothing ran, is not made up for. At most ``AT_ONCE`` are logged.
    """
    today = clocks.today(now)
    running = CaseClock.objects.filter(request__in=clocks.unanswered().values("pk"))
    at_the_end = Q(stage=OVERDUE, stage_due=F("request__due_on"))
    rows = running.exclude(at_the_end).values_list(
        "pk", "received_on", "request__due_on", "stage", "stage_due"
    )
    noted = 0
    for case_id, received_on, due_on, known, known_due in list(rows):
        stage = due_on and stage_of(received_on, due_on, today)
        if not stage or (stage, due_on) == (known, known_due):
            continue
        if noted == AT_ONCE:
            break
        with transaction.atomic():
            CaseClock.objects.filter(pk=case_id).update(
                stage=stage, stage_due=due_on, digest_at=None
            )
            log.append(
                type="reminder_due",
                case=case_id,
                now=now,
                data={"stage": stage, "due_on": due_on},
                once=f"reminder:{case_id}:{stage}:{due_on}",
            )
        noted += 1
    return noted


def send_digest(*, now: datetime) -> int:
    """Write to the contact, and to staff who handle cases, of what they were not told of yet.

    Return about how many cases. They are marked first, so that two sweeps do not both write; a
    failure of the mail server takes the marks back, and the next sweep tries again.
    """
    pending = CaseClock.objects.filter(
        request__in=clocks.unanswered().values("pk"), digest_at=None
    ).exclude(stage="")
    count = pending.update(digest_at=now)  # by one statement: there may be very many
    mine = CaseClock.objects.filter(digest_at=now)
    if count and not _send(mine, count):
        mine.update(digest_at=None)
        return 0
    return count


def _send(mine: QuerySet[CaseClock], count: int) -> bool:
    urgent = mine.select_related("request").order_by("request__due_on", "request__reference")
    told = {
        "cases": [(row.request, WORDS[row.stage]) for row in urgent[:LISTED]],
        "more": max(0, count - LISTED),
        "site": settings.SITE_URL,
    }
    message = EmailMessage(
        subject=f"{count} answer{'s' if count > 1 else ''} to requests fall due",
        body=render_to_string("audits/reminder_digest.txt", told),
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[in_force("CONTACT")],
        bcc=_handlers(),
    )
    try:
        message.send()
    except (OSError, ValueError) as error:  # of mail server and files; what it cannot encode
        logger.warning("the reminders were not sent: %s", type(error).__name__)
        return False
    return True


def _handlers() -> list[str]:
    staff = User.objects.filter(is_active=True, is_staff=True).exclude(email="")
    return sorted({user.email for user in staff if has_right(user, Right.HANDLE)})
