"""A person at the public pages, by the test client."""

from __future__ import annotations

from django.utils import timezone

from audits.views.public_forms import new_stamp
from tests.audits.views import worlds

START, KIND, MORE = "/erasure/", "/erasure/kind/", "/erasure/more/"
EMAIL_PAGE, CHECK, RECEIVED = "/erasure/email/", "/erasure/check/", "/erasure/received/"


def text_of(response):
    return response.content.decode()


def filled(email=worlds.EMAIL, **change: str):
    return {"email": email, "website": "", "stamp": new_stamp(timezone.now()), **change}


def give_address(client, email=worlds.EMAIL, *, wish="erase", **change: str):
    """Go to the page with the address and send it."""
    client.get(f"/erasure/{wish}/")
    return client.post(EMAIL_PAGE, filled(email, **change))


def ask(client, email=worlds.EMAIL, *, wish="erase", follow=False, **extra: object):
    """Take every page of a wish that asks nothing more than the address, and send."""
    response = give_address(client, email, wish=wish)
    if response.headers.get("Location") != CHECK:
        return client.get(RECEIVED) if follow and response.status_code == 302 else response
    return client.post(CHECK, filled(), follow=follow, **extra)
