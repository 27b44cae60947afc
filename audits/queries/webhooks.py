"""Webhooks as they are shown: how each stands, its messages, and what was given up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import Count, Exists, Max, OuterRef, Q, Window

from audits.core import webhook_words as codes
from audits.models import Webhook, WebhookDelivery

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from django.db.models import QuerySet

SHOWN = 5
UNWELL = 3  # tries in a row that failed, after which it is said
State = WebhookDelivery.State


def webhooks() -> QuerySet[Any]:
    """Return all webhooks, each with how many messages wait and were given up."""
    return Webhook.objects.annotate(
        waiting=Count("deliveries", filter=Q(deliveries__state=State.WAITING)),
        given_up=Count(
            "deliveries", filter=Q(deliveries__state=State.FAILED, deliveries__index__gte=0)
        ),
        last_sent=Max("deliveries__sent_at"),
    ).order_by("name")


def health(hook: Webhook) -> str:
    """Return how a webhook stands, as a code of ``audits.core.webhook_words``."""
    if hook.state == Webhook.State.PAUSED:
        return codes.GONE if hook.because == Webhook.Because.GONE else codes.PAUSED
    if hook.failures:
        return codes.FAILING if hook.failures >= UNWELL else codes.FAILED
    return codes.ANSWERS if hook.answered_at else codes.UNTOLD


def deliveries(webhook_id: UUID) -> QuerySet[WebhookDelivery]:
    """Return the messages to a webhook, the newest first."""
    found = WebhookDelivery.objects.filter(webhook=webhook_id)
    return found.defer("body").order_by("-created_at", "-index", "-pk")


def called(name: str) -> Webhook | None:
    """Return the webhook of a name."""
    return Webhook.objects.filter(name=name).first()


def with_messages_due(now: datetime) -> list[UUID]:
    """Return the webhooks to which a message is to be tried now."""
    free = Q(leased_until=None) | Q(leased_until__lte=now)
    due = WebhookDelivery.objects.filter(
        free, webhook=OuterRef("pk"), state=State.WAITING, next_at__lte=now
    )
    tests = due.filter(index=None)
    active = Q(Exists(due), state=Webhook.State.ACTIVE) | Q(Exists(tests))
    return list(Webhook.objects.filter(active).values_list("pk", flat=True))


def in_trouble() -> list[Any]:
    """Return webhooks that gave messages up or are gone, the first of them, with ``of_all``."""
    lost = WebhookDelivery.objects.filter(webhook=OuterRef("pk"), state=State.FAILED, index__gte=0)
    found = Webhook.objects.filter(Q(Exists(lost)) | Q(because=Webhook.Because.GONE))
    return list(found.annotate(of_all=Window(Count("pk"))).order_by("name")[:SHOWN])
