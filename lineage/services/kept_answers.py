"""A call that is made twice under one Idempotency-Key is carried out once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from django.utils.crypto import salted_hmac

from lineage.models import KeptAnswer

if TYPE_CHECKING:
    from datetime import datetime

# A call whose process died is not under way any more; none takes longer.
UNDER_WAY = timedelta(minutes=5)


class CallReused(ValueError):
    """The Idempotency-Key came with another call before."""


class CallUnderWay(Exception):
    """The first call with this Idempotency-Key is not answered yet."""


@dataclass(frozen=True, kw_only=True)
class Call:
    """A write of a program: whose key, under which Idempotency-Key, and what it asks for.

    ``content`` is everything that makes it this call: method, address and body.
    """

    owner: str
    idempotency: str
    content: bytes

    @property
    def name(self) -> str:
        """Return what the call is known by, from which nothing of it can be read."""
        return _keyed("call", f"{self.owner}\0{self.idempotency}".encode())

    @property
    def asked(self) -> str:
        """Return the keyed hash of what it asks for, which may name a person."""
        return _keyed("asked", self.content)


@transaction.atomic
def begin_call(*, call: Call, now: datetime) -> KeptAnswer | None:
    """Return the answer that the call was given before; None where it is to be carried out.

    Raises:
        CallReused: the same Idempotency-Key came with another call.
        CallUnderWay: the first call is being answered at this moment.
    """
    kept = timedelta(hours=settings.EXPUNGE_API_KEEP_HOURS)
    KeptAnswer.objects.filter(made_at__lt=now - kept).delete()
    first, new = KeptAnswer.objects.select_for_update().get_or_create(
        call=call.name, defaults={"asked": call.asked, "made_at": now}
    )
    if new:
        return None
    if first.asked != call.asked:
        raise CallReused(
            "This Idempotency-Key came with another call before; send a new key with a new call."
        )
    if first.status is not None:
        return first
    if now - first.made_at < UNDER_WAY:
        raise CallUnderWay(
            "The first call with this Idempotency-Key is not answered yet; ask again in a moment."
        )
    first.made_at = now
    first.save()
    return None


def keep_answer(*, call: Call, status: int, media_type: str, body: bytes) -> None:
    """Keep what a call was answered, to be given again."""
    KeptAnswer.objects.filter(call=call.name).update(
        status=status, media_type=media_type, body=body
    )


def forget_call(*, call: Call) -> None:
    """Let a call be made again that came to nothing."""
    KeptAnswer.objects.filter(call=call.name).delete()


def _keyed(what: str, data: bytes) -> str:
    return salted_hmac(f"expunge.api.{what}", data, algorithm="sha256").hexdigest()
