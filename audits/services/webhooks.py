"""Whom we tell what happens: other systems, each with a secret that we make and show once."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import transaction

from audits.core.canonical import sha256
from audits.core.roles import Right
from audits.core.webhook_events import checked, code_of
from audits.models import LogHead, Webhook
from audits.services import log
from audits.services.actors import actor_of
from audits.services.rights import require
from expunge.webhooks import secret_text
from lineage import keys
from lineage.core.outgoing import ADDRESS, ADDRESS_WORDS, HostNotPublic, leaves_safely, usable

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from uuid import UUID

    from django.contrib.auth.models import User

# Who may pause one, try it and send again; adding one is for whoever runs commands, and for keys.
MINDERS = (Right.OPERATE, Right.ADMINISTER)
OVERLAP = timedelta(hours=24)  # for which two secrets sign
LONGEST_URL = 1000
_NAME = re.compile(r"[a-z0-9]([a-z0-9_-]{0,62}[a-z0-9])?")
State, Because = Webhook.State, Webhook.Because


class WebhookRefused(ValueError):
    """The name or the address cannot be used."""


class WebhookExists(ValueError):
    """There is one of this name, or its secret was changed since it was looked at."""


class WebhookNotHere(LookupError):
    """There is no such webhook, or no such message to it."""


@dataclass(frozen=True, kw_only=True)
class NewSecret:
    """A webhook with a secret that cannot be shown again."""

    webhook: Webhook
    secret: str = field(repr=False)


@transaction.atomic
def add_webhook(*, name: str, url: str, kinds: Iterable[str], now: datetime) -> NewSecret:
    """Tell a system from now on; what was logged before is not told.

    Args:
        name: by which it is known here, once.
        url: an address that is encrypted, or on this machine.
        kinds: some of ``audits.core.webhook_events.KINDS``.
        now: when.

    Raises:
        WebhookRefused: the name or the address cannot be used.
        WebhookExists: the name is taken.
        KindsRefused: see ``checked``.
    """
    if not _NAME.fullmatch(name):
        raise WebhookRefused(
            f"name is {name!r}; allowed are up to 64 small letters, digits, hyphens and "
            "underscores, with a letter or digit at both ends."
        )
    _check_url(url)
    wanted = checked(kinds)
    if Webhook.objects.filter(name=name).exists():
        raise WebhookExists(
            f"There is a webhook {name}. Change its secret if that was lost, or remove it first."
        )
    size = LogHead.objects.select_for_update().get(pk=1).size
    hook = Webhook.objects.create(
        name=name, url=url, kinds=wanted, next_index=size, created_at=now
    )
    data = {"url": sha256(url.encode()), "events": [code_of(one) for one in wanted]}
    _log("webhook_added", hook, now, None, **data)
    key = keys.get_or_create(hook.secret_name(hook.generation))
    return NewSecret(webhook=hook, secret=secret_text(key))


@transaction.atomic
def change_secret(*, webhook_id: UUID, number: int, now: datetime) -> NewSecret:
    """Make a new secret; the one before signs beside it for a day.

    ``number``: of the secret that is in use, so that a call made twice changes it once.

    Raises:
        WebhookNotHere: there is none.
        WebhookExists: the secret in use has another number.
    """
    hook = _locked(webhook_id)
    if hook.generation != number:
        raise WebhookExists(
            f"The secret in use is number {hook.generation}, not {number}; it was changed before."
        )
    older = hook.secret_name(hook.generation - 1)
    if hook.previous_until is not None:  # of three only the last two sign
        transaction.on_commit(lambda: keys.destroy(older))
    hook.generation, hook.previous_until = number + 1, now + OVERLAP
    hook.save()
    _log("webhook_secret_changed", hook, now, None, number=hook.generation)
    key = keys.get_or_create(hook.secret_name(hook.generation))
    return NewSecret(webhook=hook, secret=secret_text(key))


@transaction.atomic
def pause(*, webhook_id: UUID, user: User | None, now: datetime) -> bool:
    """Tell it nothing until it is resumed; False where it was paused before.

    Raises:
        NotAllowed: the member of staff minds no webhooks.
        WebhookNotHere: there is none.
    """
    _may(user)
    return stop(_locked(webhook_id), because=Because.STAFF, user=user, now=now)


def stop(hook: Webhook, *, because: str, user: User | None, now: datetime) -> bool:
    """Pause a webhook that the caller has locked, and log why; False where it is paused."""
    if hook.state == State.PAUSED:
        return False
    hook.state, hook.because = State.PAUSED, because
    hook.save()
    _log("webhook_paused", hook, now, user, by=str(because))
    return True


@transaction.atomic
def resume(*, webhook_id: UUID, user: User | None, now: datetime) -> bool:
    """Tell it again, first what happened meanwhile; False where it was not paused.

    Raises:
        NotAllowed: the member of staff minds no webhooks.
        WebhookNotHere: there is none.
    """
    _may(user)
    hook = _locked(webhook_id)
    if hook.state == State.ACTIVE:
        return False
    hook.state, hook.because, hook.failures = State.ACTIVE, "", 0
    hook.save()
    waiting = hook.deliveries.filter(state="WAITING")
    waiting.update(since=now, next_at=now, leased_until=None)
    _log("webhook_resumed", hook, now, user)
    return True


@transaction.atomic
def remove(*, webhook_id: UUID, now: datetime) -> None:
    """Tell it nothing any more; its messages go, and its secrets are destroyed.

    Raises:
        WebhookNotHere: there is none.
    """
    hook = _locked(webhook_id)
    names = [hook.secret_name(one) for one in (hook.generation, hook.generation - 1) if one]
    _log("webhook_removed", hook, now, None)
    hook.delete()
    for name in names:
        transaction.on_commit(lambda name=name: keys.destroy(name))  # type: ignore[misc]


def destroy_lapsed_secrets(*, now: datetime) -> None:
    """Destroy secrets whose time beside a new one is over."""
    for hook in Webhook.objects.filter(previous_until__lte=now):
        keys.destroy(hook.secret_name(hook.generation - 1))
        Webhook.objects.filter(pk=hook.pk, generation=hook.generation).update(previous_until=None)


def secrets_of(hook: Webhook, now: datetime) -> list[str]:
    """Return the secrets that sign now, the newest first.

    Raises:
        KeyMissing, KeyDestroyed: the key store lost it; change the secret.
    """
    both = hook.previous_until is not None and hook.previous_until > now
    numbers = (hook.generation, hook.generation - 1) if both else (hook.generation,)
    return [secret_text(keys.get(hook.secret_name(one))) for one in numbers]


def _check_url(url: str) -> None:
    fits = re.fullmatch(ADDRESS, url) is not None and url.isascii() and url.isprintable()
    try:
        safe = fits and len(url) <= LONGEST_URL and leaves_safely(url)
    except ValueError:  # brackets around what is no address
        safe = False
    if not safe:
        raise WebhookRefused(
            f"url has {len(url)} characters; allowed is {ADDRESS_WORDS}, of at most "
            f"{LONGEST_URL}, without a name or password before the host."
        )
    try:
        usable(url)
    except HostNotPublic as error:
        raise WebhookRefused(f"url cannot be used. {error}") from None


def _locked(webhook_id: UUID) -> Webhook:
    found = Webhook.objects.select_for_update().filter(pk=webhook_id).first()
    if found is None:
        raise WebhookNotHere(f"There is no webhook {webhook_id}.")
    return found


def _may(user: User | None) -> None:
    if user is not None:
        require(user, *MINDERS)


def _log(kind: str, hook: Webhook, now: datetime, user: User | None, **data: object) -> None:
    actor = actor_of(user) if user else log.SYSTEM
    told = {"webhook": str(hook.pk), **data}
    log.append(type=kind, case=None, now=now, actor=actor, data=told)
