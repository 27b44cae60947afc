"""Another system, asked over HTTPS by a signed message."""

from __future__ import annotations

import hmac
import json
import time
import uuid
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import httpx
from django.conf import settings

from lineage.core.outgoing import (
    ADDRESS,
    ADDRESS_WORDS,
    Answer,
    AnswerTooLong,
    HostNotPublic,
    leaves_safely,
    posted,
)
from lineage.core.place_secrets import secret
from lineage.core.place_settings import SECRET, SECRET_WORDS, Setting, SettingRefused
from lineage.core.places import DELETED, MASKED, Erased, Found, LocationNotReachable, Person, Place
from lineage.core.worded import worded, worded_of

MOST_BYTES = 65_536


@dataclass(frozen=True, kw_only=True)
class Webhook(Place):
    """A system that erases by itself when it is asked.

    It gets three kinds of POST, ``find``, ``erase`` and ``confirm``, each with a time and a random
    number, signed by HMAC-SHA256, and answers with JSON. A redirect is not followed. The host's
    address is looked up once, must be public (unless ``EXPUNGE_PRIVATE_HOSTS`` names the host),
    and is the one that is connected to: no second look-up can lead elsewhere.
    """

    title: ClassVar[str] = "Another system (webhook)"

    url: Annotated[
        str,
        Setting(
            "where the messages go",
            pattern=ADDRESS,
            allowed=ADDRESS_WORDS,
        ),
    ]
    secret_from: Annotated[
        str,
        Setting("the variable with the shared secret", pattern=SECRET, allowed=SECRET_WORDS),
    ]
    timeout: Annotated[int, Setting("seconds to wait for an answer", low=1, high=120)] = 20
    retries: Annotated[int, Setting("further tries when there is none", low=0, high=5)] = 2

    def __post_init__(self) -> None:
        if not leaves_safely(self.url):
            raise SettingRefused(
                worded_of(
                    "url",
                    "It is %(url)s; allowed is %(allowed)s.",
                    url=repr(self.url),
                    allowed=worded(ADDRESS_WORDS),
                )
            )

    def _find(self, person: Person) -> Found:
        return Found(count=_count(self._asked("find", person), "count"))

    def _erase(self, person: Person) -> Erased:
        answer = self._asked("erase", person)
        how = answer.get("how", DELETED)
        if how not in (DELETED, MASKED):
            raise LocationNotReachable(
                worded(
                    '"how" must be %(deleted)s or %(masked)s in its answer.',
                    deleted=DELETED,
                    masked=MASKED,
                )
            )
        return Erased(count=_count(answer, "count"), how=how)

    def _read_back(self, person: Person) -> int:
        return _count(self._asked("confirm", person), "remaining")

    def _reach(self) -> str:
        self._asked("find", Person(email="nobody@expunge.invalid"))
        return "It answers, and accepts the signature."

    def _asked(self, action: str, person: Person) -> dict[str, Any]:
        message = {"action": action, "identifiers": list(person.identifiers)}
        body = json.dumps({**message, "id": str(uuid.uuid4())}).encode()
        for _ in range(self.retries):
            answer = self._sent(body)
            if answer is not None:
                return answer
        answer = self._sent(body)
        if answer is None:
            raise LocationNotReachable(
                worded("It did not answer in %(tries)s tries.", tries=self.retries + 1)
            )
        return answer

    def _sent(self, body: bytes) -> dict[str, Any] | None:
        """Return the answer; None where there was none and another try may help."""
        stamp = str(int(time.time()))
        signature = hmac.digest(
            secret(self.secret_from).encode(), f"{stamp}.".encode() + body, "sha256"
        )
        try:
            answer = posted(
                self.url,
                private=settings.EXPUNGE_PRIVATE_HOSTS,
                body=body,
                headers={
                    "Content-Type": "application/json",
                    "X-Expunge-Timestamp": stamp,
                    "X-Expunge-Signature": f"sha256={signature.hex()}",
                },
                seconds=self.timeout,
                most=MOST_BYTES,
            )
        except (HostNotPublic, AnswerTooLong) as error:
            raise LocationNotReachable(str(error)) from None
        except (TimeoutError, httpx.TransportError):
            return None
        return _understood(answer)


def _understood(answer: Answer) -> dict[str, Any] | None:
    if answer.status >= httpx.codes.INTERNAL_SERVER_ERROR:
        return None
    if answer.status != httpx.codes.OK:
        raise LocationNotReachable(
            worded("It answered with the status %(status)s, not 200.", status=answer.status)
        )
    try:
        value = json.loads(answer.body)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise LocationNotReachable(worded("Its answer is not a JSON object."))
    return value


def _count(answer: dict[str, Any], name: str) -> int:
    value = answer.get(name)
    if type(value) is not int or value < 0:
        raise LocationNotReachable(
            worded('"%(name)s" must be a whole number from 0 in its answer.', name=name)
        )
    return value
