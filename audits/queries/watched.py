"""Numbers for whoever watches the installation: how many, how old; nothing of anybody."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db.models import Count, Q

from audits.models import (
    Letter,
    LogCheckpoint,
    LogHead,
    LogLeaf,
    Notice,
    SweepMark,
    Webhook,
    WebhookDelivery,
)
from audits.queries import clocks
from audits.queries.cases import open_cases
from audits.queries.webhooks import UNWELL

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

SOON = timedelta(days=7)


@dataclass(frozen=True, kw_only=True)
class CaseNumbers:
    """Open cases by status; how many people's answers are overdue, or due within a week.

    Who waits is said by ``clocks.unanswered``: also a closed case whose letter has not left, and
    no restriction of which the person was told.
    """

    by_status: Mapping[str, int]
    overdue: int
    soon: int


@dataclass(frozen=True, kw_only=True)
class LogNumbers:
    """Events of the log, how many no checkpoint covers, and ages in seconds.

    ``checkpoint_age`` is None where there is no checkpoint, ``unsigned_age`` where nothing waits.
    """

    events: int
    unsigned: int
    checkpoint_age: float | None
    unsigned_age: float | None


@dataclass(frozen=True, kw_only=True)
class WebhookNumbers:
    """Active webhooks that fail again and again, messages that wait, and that were given up."""

    failing: int
    waiting: int
    given_up: int


@dataclass(frozen=True, kw_only=True)
class LetterNumbers:
    """Letters that the mail server refused and that are tried again, or were given up; notices."""

    tried_again: int
    given_up: int
    notices: int


def case_numbers(now: datetime) -> CaseNumbers:
    """Return how many cases are open, overdue and due soon, on the day of the legal clock."""
    today = clocks.today(now)
    # Those due later are left out first: asking who was told is dear, and there may be very many.
    pressing = clocks.unanswered().order_by().filter(due_on__lte=today + SOON)
    late = pressing.aggregate(
        overdue=Count("pk", filter=Q(due_on__lt=today)),
        soon=Count("pk", filter=Q(due_on__gte=today)),
    )
    rows = open_cases().order_by().values_list("status").annotate(Count("pk"))
    return CaseNumbers(by_status=dict(rows), **late)


def log_numbers(now: datetime) -> LogNumbers:
    """Return how long the log is and how well it is signed."""
    size = LogHead.objects.values_list("size", flat=True).get(pk=1)
    newest = LogCheckpoint.objects.order_by("-size").values("size", "created_at").first()
    signed = newest["size"] if newest else 0
    first = LogLeaf.objects.filter(index=signed).values_list("at", flat=True).first()
    return LogNumbers(
        events=size,
        unsigned=size - signed,
        checkpoint_age=seconds_since(newest["created_at"], now) if newest else None,
        unsigned_age=seconds_since(first, now) if first else None,
    )


def webhook_numbers() -> WebhookNumbers:
    """Return how messages to other systems go."""
    active = Webhook.objects.filter(state=Webhook.State.ACTIVE)
    states = WebhookDelivery.State
    sent: dict[str, Any] = WebhookDelivery.objects.filter(index__gte=0).aggregate(
        waiting=Count("pk", filter=Q(state=states.WAITING)),
        given_up=Count("pk", filter=Q(state=states.FAILED)),
    )
    return WebhookNumbers(failing=active.filter(failures__gte=UNWELL).count(), **sent)


def letter_numbers() -> LetterNumbers:
    """Return how the mail server takes letters and notices."""
    states = Letter.State
    sent: dict[str, int] = Letter.objects.filter(
        state__in=[states.WAITING, states.FAILED]
    ).aggregate(
        tried_again=Count("pk", filter=Q(state=states.WAITING, attempts__gt=0)),
        given_up=Count("pk", filter=Q(state=states.FAILED)),
    )
    notices = Notice.objects.filter(state=Notice.State.FAILED).count()
    return LetterNumbers(notices=notices, **sent)


def last_sweep() -> SweepMark | None:
    """Return when the sweeper was through last; None where it never was."""
    return SweepMark.objects.first()


def place_of_sweep() -> UUID | None:
    """Return the case at which the sweeper is, or was last; None before the first."""
    return SweepMark.objects.values_list("after", flat=True).first()


def seconds_since(moment: datetime, now: datetime) -> float:
    """Return an age in seconds; 0 where the clock was set back since."""
    return max(0.0, (now - moment).total_seconds())
