"""What the webhook sends, whom it sends it to, and which answers it takes."""

from __future__ import annotations

import socket
import time
from typing import Any

import pytest

from lineage import locations
from lineage.core.place_settings import SettingRefused
from lineage.core.places import LocationNotReachable
from tests.lineage.locations.places import ADA, SECRET, dripping


@pytest.fixture
def hook(shop, monkeypatch):
    monkeypatch.setenv("EXPUNGE_PLACE_SHOP", SECRET)

    def opened(url=shop.url, **more: object):
        settings = {"url": url, "secret_from": "EXPUNGE_PLACE_SHOP", "timeout": 5, **more}
        return locations.opened("webhook", settings)

    return opened


def test_a_message_bears_action_identifiers_time_and_signature(hook, shop):
    hook().find(ADA)
    (message,), (headers,) = shop.heard, shop.headers
    assert message["action"] == "find"
    assert message["identifiers"] == ["ada@example.org", "Customer-7"]
    assert abs(int(headers["X-Expunge-Timestamp"]) - time.time()) < 60
    assert headers["Host"] == shop.url.split("/")[2]


def test_a_try_again_repeats_the_message_and_tries_are_counted(hook, shop):
    shop.answers = [(503, {}, b""), (500, {}, b"")]
    assert hook(retries=2).find(ADA).count == 2
    assert len({message["id"] for message in shop.heard}) == 1
    shop.answers = [(503, {}, b"")] * 2
    with pytest.raises(LocationNotReachable, match="did not answer in 2 tries"):
        hook(retries=1).find(ADA)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((302, {"Location": "http://127.0.0.1/"}, b""), "the status 302"),
        ((200, {}, b"[]"), "not a JSON object"),
        ((200, {}, b'{"count": -1}'), '"count" must be a whole number'),
        ((200, {}, b'{"count": true}'), '"count" must be a whole number'),
        ((200, {}, b"x" * 70_000), "longer than"),
    ],
)
def test_an_answer_that_says_nothing_is_no_answer(hook, shop, answer, said):
    shop.answers = [answer]
    with pytest.raises(LocationNotReachable, match=said):
        hook().find(ADA)
    assert len(shop.heard) == 1  # a redirect is not followed, and nonsense not asked for twice


def test_an_answer_that_drips_is_cut_off_after_its_seconds(hook, monkeypatch, settings):
    settings.EXPUNGE_PRIVATE_HOSTS = ["127.0.0.1"]
    with dripping() as url:
        began = time.monotonic()
        with pytest.raises(LocationNotReachable, match="did not answer in 1 tries"):
            hook(url, timeout=1, retries=0).find(ADA)
        assert time.monotonic() - began < 5


def test_a_system_may_mask_and_says_so(hook, shop):
    shop.answers = [(200, {}, b'{"count": 1, "how": "MASKED"}')]
    assert hook().erase(ADA).how == "MASKED"
    shop.answers = [(200, {}, b'{"count": 1, "how": "ANONYMISED"}')]
    with pytest.raises(LocationNotReachable, match='"how" must be DELETED or MASKED'):
        hook().erase(ADA)


def test_only_https_leaves_the_machine(hook):
    with pytest.raises(SettingRefused, match=r"url is 'http://shop.example/erase'; allowed is"):
        hook("http://shop.example/erase")
    for wrong in ("ftp://shop.example/", "https://user:pw@shop.example/", "https://"):
        with pytest.raises(SettingRefused, match="url"):
            hook(wrong)


@pytest.mark.parametrize(
    "address",
    [
        "10.0.0.1",
        "127.0.0.1",
        "169.254.169.254",
        "192.168.1.1",
        "::1",
        "fd00::1",
        "::ffff:10.0.0.1",
    ],
)
def test_a_private_address_is_not_asked_unless_its_host_is_allowed(hook, monkeypatch, address):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    found = [
        (family, socket.SOCK_STREAM, 6, "", ("93.184.215.14", 443)),
        (family, 1, 6, "", (address, 443)),
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_a, **_k: found)
    monkeypatch.setattr("httpx.AsyncClient.send", lambda *_a, **_k: pytest.fail("it was asked"))
    with pytest.raises(LocationNotReachable, match="an address that is not public"):
        hook("https://shop.example/erase").find(ADA)


def test_the_address_that_was_checked_is_the_one_that_is_connected_to(
    hook, shop, monkeypatch, settings
):
    """A name that points elsewhere at a second look-up (rebinding) is looked up once only."""
    settings.EXPUNGE_PRIVATE_HOSTS = ["localhost"]
    real, asked = socket.getaddrinfo, []

    def lookup(host, *rest: Any, **more: Any):  # noqa: ANN401
        asked.append(host)
        return real("127.0.0.1", *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    hook(shop.url.replace("127.0.0.1", "localhost"), retries=0).find(ADA)
    assert asked.count("localhost") == 1
    assert shop.headers[0]["Host"].startswith("localhost:")
