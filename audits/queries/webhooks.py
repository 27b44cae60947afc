"""Webhooks as they are shown: how each stands, its messages, and what was given up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import Count, Exists, Max, OuterRef, Q, Window

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


def health(hook: Webhook) -> tuple[str, str]:
    """Return how a webhook stands as a tone and a word."""
    if hook.state == Webhook.State.PAUSED:
        gone = hook.because == Webhook.Because.GONE
        return ("bad", "Gone (410), paused") if gone else ("care", "Paused")
    if hook.failures >= UNWELL:
        return "bad", f"{hook.failures} tries failed in a row"
    if hook.failures:
        return "care", "The last try failed"
    return ("good", "Answers") if hook.answered_at else ("", "Not told anything yet")


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
