"""What members of staff do to sign in, and what is read of it."""

from __future__ import annotations

import base64
import hmac
import re
import struct
import time
from typing import TYPE_CHECKING

from django.test import Client

from audits.models import LogLeaf
from audits.queries.sign_in import KEPT

if TYPE_CHECKING:
    from datetime import timedelta

    from django.contrib.auth.models import User

PASSWORD = "seven grey herons stand"
SIGN_IN, FACTOR = "/accounts/login/", "/accounts/second-factor/"


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def typed(client: Client, password: str = PASSWORD, name: str = "ann"):
    return client.post(f"{SIGN_IN}?next=/log/", {"username": name, "password": password})


def is_in(client: Client) -> bool:
    return client.get("/log/").status_code == 200


def code_now(secret: str, steps: int = 0) -> str:
    """RFC 6238, written down again."""
    counter = struct.pack(">Q", int(time.time()) // 30 + steps)
    digest = hmac.digest(base64.b32decode(secret), counter, "sha1")
    (number,) = struct.unpack_from(">I", digest, digest[-1] & 15)
    return f"{(number & 0x7FFFFFFF) % 10**6:06}"


def wrong(secret: str) -> str:
    near = {code_now(secret, step) for step in range(-2, 3)}
    return next(f"{number:06}" for number in range(10) if f"{number:06}" not in near)


def with_an_app(client: Client) -> str:
    """Set an app up on the pages; return its secret."""
    page = client.get(f"{FACTOR}totp/activate/").content.decode()
    secret: str = re.findall(r"<code>([A-Z2-7]{32})</code>", page)[0]
    assert client.post(f"{FACTOR}totp/activate/", {"code": wrong(secret)}).status_code == 200
    done = client.post(f"{FACTOR}totp/activate/", {"code": code_now(secret)})
    assert done.headers["Location"] == f"{FACTOR}recovery-codes/"
    return secret


def kept(client: Client, **changed: timedelta) -> None:
    """Let parts of a session have happened so long ago."""
    session = client.session
    ago = {name: session[KEPT][name] - gone.total_seconds() for name, gone in changed.items()}
    session[KEPT] = {**session[KEPT], **ago}
    session.save()


def events(*types: str) -> list[str]:
    found = LogLeaf.objects.filter(type__in=types).order_by("index")
    return [bytes(leaf.data).decode() for leaf in found]
