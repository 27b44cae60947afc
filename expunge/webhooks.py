"""Check that a message of a webhook is the platform's, fresh, and not one that came before.

Signed as Standard Webhooks 1.0.0 says (https://www.standardwebhooks.com): HMAC-SHA256 over
``id.timestamp.body``. Needs nothing but Python:

    from expunge import webhooks

    seen = webhooks.SeenIds()
    try:
        message = webhooks.verify(request.headers, request.body, SECRET, seen=seen)
    except webhooks.Repeated:
        return 204  # it was dealt with
    except webhooks.NotGenuine:
        return 400
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import re
import time
from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

ID, STAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
PREFIX, VERSION = "whsec_", "v1"
TOLERANCE = 300
SHORTEST = 24  # bytes of a secret
_STAMP = re.compile(r"[0-9]{1,11}")
_MOST_SIGNATURES = 20


class NotGenuine(ValueError):
    """The message is not the platform's, or too old, or not for this secret: answer 400."""


class Repeated(Exception):
    """A genuine message that came before: answer as if it were new, and do nothing."""


class SecretUnusable(ValueError):
    """The secret was not copied whole: it begins with ``whsec_``."""


@dataclass(frozen=True, kw_only=True)
class Message:
    """What a webhook tells. ``data`` has references, ids and codes, never personal data."""

    id: str
    type: str
    timestamp: str
    data: Mapping[str, Any]


class Seen(Protocol):
    """Which messages came before; shared by all processes that receive, where there are more."""

    def add(self, message: str, until: float) -> bool:
        """Note a message; False where it was noted before.

        It must be kept until a moment, in seconds since 1970, and better for as long as messages
        are sent again, which is days.
        """
        ...

    def forget(self, message: str) -> None:
        """Take a message back that was not dealt with, so that it is taken when it comes again."""
        ...


class SeenIds:
    """The last ids of one process, in memory; the oldest go first."""

    def __init__(self, most: int = 10_000) -> None:
        self._most, self._lock = most, Lock()
        self._ids: OrderedDict[str, float] = OrderedDict()

    def add(self, message: str, until: float) -> bool:
        """Note a message; False where it was noted before."""
        with self._lock:
            if message in self._ids:
                return False
            self._ids[message] = until
            while len(self._ids) > self._most:
                self._ids.popitem(last=False)
            return True

    def forget(self, message: str) -> None:
        """Take a message back that was not dealt with."""
        with self._lock:
            self._ids.pop(message, None)


def verify(
    headers: Mapping[str, str],
    body: bytes,
    secret: str | Iterable[str],
    *,
    now: float | None = None,
    tolerance: float = TOLERANCE,
    seen: Seen | None = None,
) -> Message:
    """Return what a message tells, if it is genuine.

    Args:
        headers: of the request; case does not matter.
        body: its bytes, as they came. JSON that was read and written again has another signature.
        secret: as it was shown, ``whsec_...``; several while one takes the place of another.
        now: seconds since 1970; the clock's where it is left out.
        tolerance: seconds that the message's time may differ from ``now``, either way.
        seen: where messages are noted. Without it a message can be played again in this time.

    Raises:
        NotGenuine: a header is missing or malformed, the time is outside the tolerance, or no
            signature is by one of the secrets.
        Repeated: it is genuine, and was noted before.
        SecretUnusable: a secret is not of the form.
    """
    given = {name.lower(): value for name, value in headers.items()}
    message, stamp = _header(given, ID), _header(given, STAMP)
    if not _STAMP.fullmatch(stamp):
        raise NotGenuine(f"{STAMP} must be whole seconds since 1970.")
    moment = time.time() if now is None else now
    if abs(moment - int(stamp)) > tolerance:
        raise NotGenuine(f"{STAMP} is more than {tolerance:g} seconds from now.")
    secrets = [secret] if isinstance(secret, str) else list(secret)
    expected = [_digest(one, message, stamp, body) for one in secrets]
    sent = list(_signatures(_header(given, SIGNATURE)))
    # Each is compared with each, so that the time taken says nothing of which one fits.
    fits = [hmac.compare_digest(one, other) for one in sent for other in expected]
    if not any(fits):
        raise NotGenuine(f"No signature of {SIGNATURE} is by this secret.")
    told = _told(message, body)
    if seen is not None and not seen.add(message, moment + 2 * tolerance):
        raise Repeated(f"The message {message} came before.")
    return told


def sign(secrets: Iterable[str], *, message: str, at: int, body: bytes) -> dict[str, str]:
    """Return the three headers of a message, with a signature by each secret.

    Raises:
        SecretUnusable: a secret is not of the form.
    """
    digests = (_digest(one, message, str(at), body) for one in secrets)
    signed = (f"{VERSION},{base64.b64encode(one).decode()}" for one in digests)
    return {ID: message, STAMP: str(at), SIGNATURE: " ".join(signed)}


def secret_text(key: bytes) -> str:
    """Return a key in the form in which it is shown."""
    return PREFIX + base64.b64encode(key).decode()


def _header(given: Mapping[str, str], name: str) -> str:
    value = given.get(name, "")
    if not value or not value.isascii() or not value.isprintable():
        raise NotGenuine(f"The header {name} is missing, or has characters that none has.")
    return value


def _signatures(header: str) -> Iterator[bytes]:
    """Yield the signatures of the version that is known here; others are for other readers."""
    for one in header.split(" ")[:_MOST_SIGNATURES]:
        version, _, text = one.partition(",")
        if version != VERSION:
            continue
        try:
            yield base64.b64decode(text, validate=True)
        except binascii.Error:
            continue


def _digest(secret: str, message: str, stamp: str, body: bytes) -> bytes:
    return hmac.digest(_key(secret), f"{message}.{stamp}.".encode() + body, "sha256")


def _key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.strip().removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) < SHORTEST:
        raise SecretUnusable(f"The secret is not whole: it begins with {PREFIX}, then base64.")
    return key


def _told(message: str, body: bytes) -> Message:
    try:
        told = json.loads(body)
        found = Message(
            id=told["id"], type=told["type"], timestamp=told["timestamp"], data=dict(told["data"])
        )
    except (ValueError, KeyError, TypeError):
        raise NotGenuine("The body is not a message of this platform.") from None
    if found.id != message:
        raise NotGenuine(f"The id of the body is not that of {ID}.")
    return found
