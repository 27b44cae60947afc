"""Which systems are told what happens: added, tried, paused and removed; how each message went."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast
from uuid import UUID

from django.utils import timezone
from ninja import Field, Router, Schema, Status

from audits import workflow
from audits.core.webhook_events import KindsRefused
from audits.core.webhook_words import health_words
from audits.models import Webhook
from audits.queries.webhooks import deliveries, health, webhooks
from audits.services import webhooks as service
from audits.services.webhooks import WebhookExists, WebhookNotHere, WebhookRefused
from lineage.api.auth import Scope
from lineage.api.conventions import BY_KEY, HARMLESS, writes
from lineage.api.pages import Asked, Order, PageOut, page_of
from lineage.queries.listings import NotHere

if TYPE_CHECKING:
    from django.http import HttpRequest

    from audits.models import WebhookDelivery

router = Router(auth=Scope("webhooks:write"), tags=["webhooks"])
ERRORS: dict[type[Exception], int] = {
    WebhookNotHere: 404,
    WebhookExists: 409,
    WebhookRefused: 422,
    KindsRefused: 422,
}


class WebhookIn(Schema):
    """A system to tell. ``events``: kinds of messages, of the list in docs/webhooks.md."""

    name: Annotated[str, Field(max_length=64)]
    url: Annotated[str, Field(max_length=1000)]
    events: Annotated[list[str], Field(max_length=100)]


class ChangeIn(Schema):
    """``number``: of the secret in use, as ``secret_number`` shows it."""

    number: Annotated[int, Field(ge=1, le=2**31 - 1)]


class WebhookOut(Schema):
    """A system that is told, and how that goes. Its secret is not shown again."""

    webhook: UUID
    name: str
    url: str
    events: list[str]
    state: Literal["ACTIVE", "PAUSED"]
    paused_because: Literal["", "STAFF", "GONE"]
    health: str
    failures_in_a_row: int
    secret_number: int
    two_secrets_until: datetime | None
    created_at: datetime
    last_answer_at: datetime | None


class SecretOut(WebhookOut):
    """A webhook with its secret, which is shown this once."""

    secret: str


class WebhooksOut(PageOut):
    """Some webhooks, by name."""

    items: list[WebhookOut]


class DeliveryOut(Schema):
    """A message. ``index``: of its event in the log; none for a test."""

    message: UUID
    type: str
    index: int | None
    state: Literal["WAITING", "SENT", "FAILED"]
    attempts: int
    next_try_at: datetime | None
    status: int | None
    error: str
    created_at: datetime
    sent_at: datetime | None


class DeliveriesOut(PageOut):
    """Some messages, the newest first."""

    items: list[DeliveryOut]


@router.get("", response=WebhooksOut, operation_id="list_webhooks")
def list_webhooks(request: HttpRequest, asked: Asked) -> dict[str, Any]:
    """List the systems that are told what happens."""
    return page_of(request, asked, webhooks(), Order("name", newest_first=False), _shown)


@router.post(
    "",
    response={201: SecretOut},
    operation_id="add_webhook",
    openapi_extra=writes(HARMLESS),
)
def add(request: HttpRequest, content: WebhookIn) -> Status[SecretOut]:
    """Tell a system what happens from now on; its secret is in this answer alone.

    A name is used once: the same call again is answered 409.
    """
    made = service.add_webhook(
        name=content.name, url=content.url, kinds=content.events, now=timezone.now()
    )
    return Status(201, _with_secret(made))


@router.get("/{webhook_id}", response=WebhookOut, operation_id="show_webhook")
def show(request: HttpRequest, webhook_id: UUID) -> WebhookOut:
    """Show a webhook."""
    return _shown(_found(webhook_id))


@router.delete(
    "/{webhook_id}",
    response={204: None},
    operation_id="remove_webhook",
    openapi_extra=writes(HARMLESS),
)
def remove(request: HttpRequest, webhook_id: UUID) -> Status[None]:
    """Tell a system nothing any more; its secret is destroyed and its messages are deleted."""
    service.remove(webhook_id=webhook_id, now=timezone.now())
    return Status(204, None)


@router.post(
    "/{webhook_id}/pause",
    response=WebhookOut,
    operation_id="pause_webhook",
    openapi_extra=writes(HARMLESS),
)
def pause(request: HttpRequest, webhook_id: UUID) -> WebhookOut:
    """Tell a system nothing until it is resumed; nothing is lost meanwhile."""
    workflow.pause_webhook(webhook_id=webhook_id, user=None)
    return _shown(_found(webhook_id))


@router.post(
    "/{webhook_id}/resume",
    response=WebhookOut,
    operation_id="resume_webhook",
    openapi_extra=writes(HARMLESS),
)
def resume(request: HttpRequest, webhook_id: UUID) -> WebhookOut:
    """Tell a system again, first what happened while it was paused."""
    workflow.resume_webhook(webhook_id=webhook_id, user=None)
    return _shown(_found(webhook_id))


@router.post(
    "/{webhook_id}/secret",
    response=SecretOut,
    operation_id="change_webhook_secret",
    openapi_extra=writes(HARMLESS),
)
def change_secret(request: HttpRequest, webhook_id: UUID, content: ChangeIn) -> SecretOut:
    """Make a new secret, which is in this answer alone; the one before signs beside it for a day.

    ``number`` names the secret in use, so that the same call again is answered 409.
    """
    made = service.change_secret(webhook_id=webhook_id, number=content.number, now=timezone.now())
    return _with_secret(made)


@router.post(
    "/{webhook_id}/test",
    response={202: DeliveryOut},
    operation_id="test_webhook",
    openapi_extra=writes(BY_KEY),
)
def test(request: HttpRequest, webhook_id: UUID) -> Status[DeliveryOut]:
    """Send a message of the type ``webhook.test``; the list of messages says how that went."""
    return Status(202, _message(workflow.test_webhook(webhook_id=webhook_id, user=None)))


@router.get(
    "/{webhook_id}/deliveries", response=DeliveriesOut, operation_id="list_webhook_deliveries"
)
def list_deliveries(
    request: HttpRequest,
    asked: Asked,
    webhook_id: UUID,
    state: Literal["WAITING", "SENT", "FAILED"] | None = None,
) -> dict[str, Any]:
    """List the messages to a system: how often each was tried, and what was answered."""
    found = deliveries(_found(webhook_id).pk)
    if state:
        found = found.filter(state=state)
    return page_of(request, asked, found, Order("created_at"), _message)


@router.post(
    "/{webhook_id}/deliveries/{message_id}/again",
    response={202: DeliveryOut},
    operation_id="send_webhook_message_again",
    openapi_extra=writes(BY_KEY),
)
def again(request: HttpRequest, webhook_id: UUID, message_id: UUID) -> Status[DeliveryOut]:
    """Send a message again, with the id and the bytes that it had."""
    if not deliveries(_found(webhook_id).pk).filter(pk=message_id).exists():
        raise NotHere(f"There is no message {message_id} to this webhook.")
    return Status(202, _message(workflow.send_message_again(delivery_id=message_id, user=None)))


def _found(webhook_id: UUID) -> Webhook:
    found = Webhook.objects.filter(pk=webhook_id).first()
    if found is None:
        raise NotHere(f"There is no webhook {webhook_id}.")
    return found


def _shown(hook: Webhook) -> WebhookOut:
    return WebhookOut(
        webhook=hook.pk,
        name=hook.name,
        url=hook.url,
        events=hook.kinds,
        state=cast("Literal['ACTIVE', 'PAUSED']", hook.state),
        paused_because=cast("Literal['', 'STAFF', 'GONE']", hook.because),
        health=health_words(health(hook), hook.failures),
        failures_in_a_row=hook.failures,
        secret_number=hook.generation,
        two_secrets_until=hook.previous_until,
        created_at=hook.created_at,
        last_answer_at=hook.answered_at,
    )


def _with_secret(made: service.NewSecret) -> SecretOut:
    return SecretOut(**_shown(made.webhook).dict(), secret=made.secret)


def _message(one: WebhookDelivery) -> DeliveryOut:
    return DeliveryOut(
        message=one.pk,
        type=one.kind,
        index=one.index,
        state=cast("Literal['WAITING', 'SENT', 'FAILED']", one.state),
        attempts=one.attempts,
        next_try_at=one.next_at,
        status=one.status,
        error=one.error,
        created_at=one.created_at,
        sent_at=one.sent_at,
    )
