"""Make the messages of webhooks: the log is the outbox, each webhook a place in it.

Whoever appends to the log holds its head until the commit, so an event of an index is there only
when all before it are. A place that moves with the messages it made skips none of them.
"""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction

from audits.core import events
from audits.core.webhook_events import KINDS, TEST, kind_of, message_id, message_of, test_message
from audits.models import ErasureRequest, LogHead, LogLeaf, Webhook, WebhookDelivery
from audits.services.rights import require
from audits.services.webhooks import MINDERS, WebhookNotHere, destroy_lapsed_secrets

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime
    from uuid import UUID

    from django.contrib.auth.models import User

AT_ONCE = 500  # events that are looked at for a webhook in one transaction
State = WebhookDelivery.State


def collect(*, now: datetime) -> int:
    """Make what is to be told of every active webhook; return how many messages."""
    size = LogHead.objects.values_list("size", flat=True).get(pk=1)
    behind = Webhook.objects.filter(state=Webhook.State.ACTIVE, next_index__lt=size)
    return sum(_collect(one, size, now) for one in behind.values_list("pk", flat=True))


@transaction.atomic
def _collect(webhook_id: UUID, size: int, now: datetime) -> int:
    hook = Webhook.objects.select_for_update().filter(pk=webhook_id).first()
    if hook is None or hook.state != Webhook.State.ACTIVE or hook.next_index >= size:
        return 0
    types = {KINDS[one].event for one in hook.kinds if one in KINDS}
    span = LogLeaf.objects.filter(index__gte=hook.next_index, index__lt=size, type__in=types)
    leaves = list(span.order_by("index")[:AT_ONCE])
    made = list(_messages(hook, leaves, now))
    # A database that came from a backup may name what was told before: it keeps its id.
    WebhookDelivery.objects.bulk_create(made, ignore_conflicts=True)
    hook.next_index = leaves[-1].index + 1 if len(leaves) == AT_ONCE else size
    hook.save(update_fields=["next_index"])
    return len(made)


def _messages(
    hook: Webhook, leaves: Iterable[LogLeaf], now: datetime
) -> Iterator[WebhookDelivery]:
    cases = {leaf.case_id for leaf in leaves if leaf.case_id}
    found = ErasureRequest.objects.filter(pk__in=cases).values_list("pk", "reference")
    references: dict[UUID | None, str] = dict(found)
    for leaf in leaves:
        event = events.parse(bytes(leaf.data))
        kind = kind_of(event)
        if kind is None or kind not in hook.kinds:
            continue
        message = message_id(hook.pk, bytes(leaf.leaf_hash))
        reference = references.get(leaf.case_id, "")
        yield WebhookDelivery(
            id=message,
            webhook=hook,
            index=leaf.index,
            kind=kind,
            body=message_of(message, event, index=leaf.index, reference=reference),
            since=now,
            next_at=now,
            created_at=now,
        )


@transaction.atomic
def test(*, webhook_id: UUID, user: User | None, now: datetime) -> WebhookDelivery:
    """Make a message that tells of nothing, to a paused webhook as well; it is tried once.

    Raises:
        NotAllowed: the member of staff minds no webhooks.
        WebhookNotHere: there is none.
    """
    if user is not None:
        require(user, *MINDERS)
    hook = Webhook.objects.filter(pk=webhook_id).first()
    if hook is None:
        raise WebhookNotHere(f"There is no webhook {webhook_id}.")
    message = uuid.uuid4()
    return WebhookDelivery.objects.create(
        id=message,
        webhook=hook,
        kind=TEST,
        body=test_message(message, events.instant(now)),
        since=now,
        next_at=now,
        created_at=now,
    )


@transaction.atomic
def send_again(*, delivery_id: UUID, user: User | None, now: datetime) -> WebhookDelivery:
    """Let a message be sent again, with the id and the bytes that it had; its tries begin anew.

    Raises:
        NotAllowed: the member of staff minds no webhooks.
        WebhookNotHere: there is none, or none any more.
    """
    if user is not None:
        require(user, *MINDERS)
    rows = WebhookDelivery.objects.select_for_update().filter(pk=delivery_id)
    rows.update(state=State.WAITING, attempts=0, since=now, next_at=now, leased_until=None)
    found = rows.select_related("webhook").first()
    if found is None:
        raise WebhookNotHere(f"There is no message {delivery_id}; it may have been deleted since.")
    return found


def forget(*, now: datetime) -> None:
    """Delete messages that are done with, and secrets that were in use beside a new one."""
    before = now - timedelta(days=settings.EXPUNGE_WEBHOOK_KEEP_DAYS)
    done = WebhookDelivery.objects.exclude(state=State.WAITING).filter(since__lt=before)
    done.delete()
    destroy_lapsed_secrets(now=now)
