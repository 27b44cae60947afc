"""Send the messages of webhooks: signed, to public addresses, again until they are taken.

A try is counted and leased before it begins, and marked after it: whoever dies in between has it
made again, with the same id. So a receiver gets each message at least once.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING

import httpx
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q

from audits.core.webhook_events import is_over, next_wait
from audits.models import Webhook, WebhookDelivery
from audits.services.webhooks import Because, secrets_of, stop
from expunge.version import VERSION
from expunge.webhooks import sign
from lineage import keys
from lineage.core.outgoing import HostNotPublic, posted

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

LEASE = timedelta(minutes=2)  # more than a task may take: see ``audits/workflow/tasks.py``
_MOST_SECONDS = 86_400
State = WebhookDelivery.State
logger = logging.getLogger("expunge.webhooks")


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came of a try: a status, or why there is none; ``after`` is what it asked for."""

    status: int | None = None
    error: str = ""
    after: timedelta | None = None

    @property
    def taken(self) -> bool:
        """Return whether the receiver has the message."""
        return self.status is not None and HTTPStatus(200) <= self.status < HTTPStatus(300)


def deliver_next(*, webhook_id: UUID, now: datetime, spread: float) -> bool | None:
    """Try the first message whose time has come; None where there is none.

    Args:
        webhook_id: whose.
        now: when.
        spread: from 0 to 1, at random: see ``next_wait``.

    Returns:
        Whether it was taken. After one that was not, leave this webhook alone for a while: a
        receiver that is away costs one try at a time.
    """
    _give_up_the_dead(webhook_id, now)
    claimed = _claimed(webhook_id, now)
    if claimed is None:
        return None
    answer = _sent(claimed, now)
    _mark(claimed, answer, now, spread)
    return answer.taken


def deliver_now(*, delivery: WebhookDelivery, now: datetime) -> WebhookDelivery:
    """Try one message at once, whoever waits; return how it stands."""
    rows = WebhookDelivery.objects.filter(pk=delivery.pk, state=State.WAITING)
    if rows.filter(_free(now)).update(**_lease(now)):
        delivery.refresh_from_db()
        _mark(delivery, _sent(delivery, now), now, 0.5)
    delivery.refresh_from_db()
    return delivery


def _claimed(webhook_id: UUID, now: datetime) -> WebhookDelivery | None:
    active = Q(webhook__state=Webhook.State.ACTIVE) | Q(index=None)  # a test, though it is paused
    due = WebhookDelivery.objects.filter(
        _free(now), active, webhook=webhook_id, state=State.WAITING, next_at__lte=now
    )
    for one in due.select_related("webhook").order_by("index", "created_at")[:5]:
        mine = WebhookDelivery.objects.filter(_free(now), pk=one.pk, state=State.WAITING)
        if mine.filter(next_at=one.next_at).update(**_lease(now)):
            one.refresh_from_db()
            return one
    return None


def _give_up_the_dead(webhook_id: UUID, now: datetime) -> None:
    """End messages whose last try died unmarked, where it was the last that they had."""
    before = now - timedelta(hours=settings.EXPUNGE_WEBHOOK_HOURS)
    last = Q(index=None) | Q(since__lte=before)
    died = WebhookDelivery.objects.filter(last, webhook=webhook_id, state=State.WAITING)
    died.filter(leased_until__lte=now).update(
        state=State.FAILED, next_at=None, leased_until=None, error="Its last try did not end."
    )


def _free(now: datetime) -> Q:
    return Q(leased_until=None) | Q(leased_until__lte=now)


def _lease(now: datetime) -> dict[str, object]:
    return {"leased_until": now + LEASE, "attempts": F("attempts") + 1}


def _sent(delivery: WebhookDelivery, now: datetime) -> Answer:
    """Post a message outside any transaction; whatever goes wrong is an answer too."""
    body, hook = bytes(delivery.body), delivery.webhook
    seconds = settings.EXPUNGE_WEBHOOK_TIMEOUT
    try:
        signed = sign(
            secrets_of(hook, now), message=str(delivery.pk), at=int(now.timestamp()), body=body
        )
        about = {"Content-Type": "application/json", "User-Agent": f"expunge/{VERSION}"}
        got = posted(
            hook.url,
            private=settings.EXPUNGE_WEBHOOK_PRIVATE_HOSTS,
            body=body,
            headers={**signed, **about},
            seconds=seconds,
        )
        return Answer(status=got.status, after=_seconds(got.headers.get("Retry-After", "")))
    except HostNotPublic as error:
        return Answer(error=str(error))
    except (keys.KeyMissing, keys.KeyDestroyed):
        return Answer(error="Its secret is not in the key store; change it.")
    except (TimeoutError, httpx.TimeoutException):
        return Answer(error=f"It had not answered after {seconds} seconds.")
    except Exception as error:  # noqa: BLE001  (a try that is not marked would be made for ever)
        return Answer(error=type(error).__name__)  # its text may hold the address


def _seconds(said: str) -> timedelta | None:
    plain = said.isascii() and said.isdigit() and len(said) < len(str(_MOST_SECONDS)) + 1
    return timedelta(seconds=int(said)) if plain else None


@transaction.atomic
def _mark(delivery: WebhookDelivery, answer: Answer, now: datetime, spread: float) -> None:
    hook = Webhook.objects.select_for_update().filter(pk=delivery.webhook_id).first()
    rows = WebhookDelivery.objects.filter(pk=delivery.pk, leased_until=delivery.leased_until)
    told = {"status": answer.status, "error": answer.error[:200], "leased_until": None}
    if hook is None or not rows.exists():  # removed, or another worker has it by now
        return
    if answer.taken:
        rows.update(**told, state=State.SENT, sent_at=now, next_at=None)
        hook.failures, hook.answered_at = 0, now
        hook.save(update_fields=["failures", "answered_at"])
        return
    logger.warning("message %s was not taken: %s", delivery.pk, answer.status or answer.error)
    gone = answer.status == HTTPStatus.GONE
    over = is_over(delivery.since, now, settings.EXPUNGE_WEBHOOK_HOURS)
    if gone or over or delivery.index is None:
        rows.update(**told, state=State.FAILED, next_at=None)
    else:
        wait = next_wait(delivery.attempts, spread, answer.after)
        rows.update(**told, next_at=now + wait)
    hook.failures += 1
    hook.save(update_fields=["failures"])
    if gone:
        stop(hook, because=Because.GONE, user=None, now=now)
