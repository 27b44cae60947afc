"""Messages to a receiver of a test: events that happen, tries, and what came of them."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

from django.db import transaction

from audits.models import WebhookDelivery
from audits.services import log, webhook_delivery
from expunge.webhooks import verify

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
State = WebhookDelivery.State


def happens(kind="version_withdrawn", now=NOW, case=None, **data: str):
    data = data or {"version": str(uuid.uuid4())}
    with transaction.atomic():
        return log.append(type=kind, case=case, now=now, data=data)


def deliver(made, now=NOW, spread=1.0):
    return webhook_delivery.deliver_next(webhook_id=made.webhook.pk, now=now, spread=spread)


def checked(receiver, made, now=NOW, seen=None):
    headers, body = receiver.heard[-1]
    return verify(headers, body, made.secret, now=now.timestamp(), seen=seen)


def stands(made):
    return [(one.state, one.attempts) for one in made.webhook.deliveries.order_by("index")]
