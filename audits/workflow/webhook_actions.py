"""What is done about webhooks: paused, resumed, tried, and messages sent again."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from audits.queries.webhooks import with_messages_due
from audits.services import webhook_delivery, webhook_outbox, webhooks
from audits.workflow import doorbell

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from django.contrib.auth.models import User

    from audits.models import WebhookDelivery

TELL = "audits.tell_webhook"
QUEUE = "lineage"  # a worker that has others too makes them wait: see docs/webhooks.md
_AT_ONCE = 50
_FINE = 1000


def pause_webhook(*, webhook_id: UUID, user: User | None) -> bool:
    """Tell a webhook nothing until it is resumed; False where it was paused before."""
    return webhooks.pause(webhook_id=webhook_id, user=user, now=timezone.now())


def resume_webhook(*, webhook_id: UUID, user: User | None) -> bool:
    """Tell a webhook again, first what happened meanwhile; False where it was not paused."""
    changed = webhooks.resume(webhook_id=webhook_id, user=user, now=timezone.now())
    if changed:
        _ring(webhook_id)
    return changed


def test_webhook(*, webhook_id: UUID, user: User | None) -> WebhookDelivery:
    """Send a message that tells of nothing."""
    made = webhook_outbox.test(webhook_id=webhook_id, user=user, now=timezone.now())
    _ring(webhook_id)
    return made


def send_message_again(*, delivery_id: UUID, user: User | None) -> WebhookDelivery:
    """Send a message again that was given up, or delivered."""
    found = webhook_outbox.send_again(delivery_id=delivery_id, user=user, now=timezone.now())
    _ring(found.webhook_id)
    return found


def tell_all(now: datetime) -> None:
    """Make the messages of what happened, and ring for those whose time has come."""
    webhook_outbox.collect(now=now)
    for webhook_id in with_messages_due(now):
        doorbell.send(TELL, str(webhook_id), QUEUE)
    webhook_outbox.forget(now=now)


def tell(webhook_id: UUID, until: datetime) -> int:
    """Send what is to be sent to a webhook until a try fails; return how many were taken."""
    for taken in range(_AT_ONCE):
        now = timezone.now()
        spread = secrets.randbelow(_FINE) / _FINE
        if now >= until or not webhook_delivery.deliver_next(
            webhook_id=webhook_id, now=now, spread=spread
        ):
            return taken
    return _AT_ONCE


def _ring(webhook_id: UUID) -> None:
    transaction.on_commit(lambda: doorbell.send(TELL, str(webhook_id), QUEUE))
