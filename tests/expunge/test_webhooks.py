"""The receiver's side: what is genuine, what is too old, what came before."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from expunge import webhooks
from expunge.webhooks import NotGenuine, Repeated, SecretUnusable, SeenIds, sign, verify

NOW = 1_772_452_900
SECRET = webhooks.secret_text(bytes(range(32)))
OTHER = webhooks.secret_text(bytes(range(1, 33)))
ID = "0b5c0f5a-0c1f-4a35-8f2e-6b8f0c8f7f11"
BODY = json.dumps(
    {
        "id": ID,
        "type": "case.sealed",
        "timestamp": "2026-03-02T12:00:00.000Z",
        "data": {"index": 3},
    }
).encode()


def headers(*secrets: str, at: int = NOW, body: bytes = BODY, message: str = ID):
    return sign(secrets or [SECRET], message=message, at=at, body=body)


def test_the_example_of_the_standard_is_signed_as_it_says():
    """From the specification of Standard Webhooks, "Signature scheme"."""
    signed = sign(
        ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
        message="msg_p5jXN8AQM9LWM0D4loKWxJek",
        at=1614265330,
        body=b'{"test": 2432232314}',
    )
    assert signed["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_genuine_message_tells_what_it_says():
    message = verify(headers(), BODY, SECRET, now=NOW)
    assert (message.id, message.type, message.data) == (ID, "case.sealed", {"index": 3})
    loud = {name.upper(): value for name, value in headers().items()}
    assert verify(loud, BODY, SECRET, now=NOW) == message


def test_a_message_counts_while_one_of_its_signatures_and_one_of_our_secrets_fit():
    verify(headers(SECRET, OTHER), BODY, OTHER, now=NOW)
    verify(headers(SECRET), BODY, [OTHER, SECRET], now=NOW)
    mixed = headers()
    mixed["webhook-signature"] = "v2,abc v1a,xyz v1,!! " + mixed["webhook-signature"]
    verify(mixed, BODY, SECRET, now=NOW)
    with pytest.raises(NotGenuine, match="No signature"):
        verify(headers(SECRET), BODY, OTHER, now=NOW)


@pytest.mark.parametrize("off", [-300, 0, 300])
def test_the_clock_may_differ_by_the_tolerance(off):
    verify(headers(at=NOW + off), BODY, SECRET, now=NOW)


@pytest.mark.parametrize("off", [-100_000, -301, 301, 100_000])
def test_a_message_of_another_time_is_refused_though_it_is_signed(off):
    with pytest.raises(NotGenuine, match="more than 300 seconds"):
        verify(headers(at=NOW + off), BODY, SECRET, now=NOW)
    verify(headers(at=NOW + off), BODY, SECRET, now=NOW, tolerance=100_000)


def test_a_message_that_came_before_is_refused_until_it_is_forgotten():
    seen = SeenIds(most=2)
    verify(headers(), BODY, SECRET, now=NOW, seen=seen)
    again = headers(at=NOW + 9)  # sent again: another signature, the same message
    with pytest.raises(Repeated, match=ID):
        verify(again, BODY, SECRET, now=NOW + 9, seen=seen)
    seen.forget(ID)
    verify(again, BODY, SECRET, now=NOW + 9, seen=seen)
    assert seen.add("x", 0)
    assert seen.add("y", 0)
    assert seen.add(ID, 0)  # the oldest went


def test_what_is_not_genuine_is_not_noted_as_seen():
    seen = SeenIds()
    with pytest.raises(NotGenuine):
        verify(headers(OTHER), BODY, SECRET, now=NOW, seen=seen)
    verify(headers(), BODY, SECRET, now=NOW, seen=seen)


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
@pytest.mark.parametrize("value", [None, "", "é", "a\nb"])
def test_a_header_that_is_missing_or_odd_is_named(name, value):
    given_ = headers()
    given_.pop(name)
    if value is not None:
        given_[name] = value
    with pytest.raises(NotGenuine, match=name):
        verify(given_, BODY, SECRET, now=NOW)


def test_a_body_of_somebody_else_is_no_message_though_it_is_signed():
    for body in (b"", b"[]", b"{}", b'{"id":"x","type":"a","timestamp":"b","data":{}}', b"\xff"):
        with pytest.raises(NotGenuine, match="body"):
            verify(headers(body=body), body, SECRET, now=NOW)


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_???", "whsec_YWJj", "whsec_MfKQ9r8"])
def test_a_secret_that_was_not_copied_whole_is_an_error_of_the_receiver(secret):
    with pytest.raises(SecretUnusable, match="begins with whsec_"):
        verify(headers(), BODY, secret, now=NOW)


@given(st.integers(0, len(BODY) - 1), st.integers(1, 255))
def test_no_changed_byte_of_the_body_is_genuine(place, change):
    altered = bytearray(BODY)
    altered[place] ^= change
    with pytest.raises(NotGenuine):
        verify(headers(), bytes(altered), SECRET, now=NOW)


ODD = st.text("v1,=\u00e9\n 0\u0664", max_size=24)


@settings(max_examples=60)
@given(ODD, ODD, ODD, st.binary(max_size=20))
def test_whatever_is_sent_is_refused_with_a_sentence_and_nothing_else(
    message, stamp, signed, body
):
    sent = {"webhook-id": message, "webhook-timestamp": stamp, "webhook-signature": signed}
    with pytest.raises(NotGenuine, match=r"\."):
        verify(sent, body, SECRET, now=NOW)


TOKEN = st.text("v1,abcABC+/= 0", max_size=40) | st.binary(max_size=40).map(
    lambda raw: "v1," + base64.b64encode(raw).decode()
)


@given(st.lists(TOKEN, max_size=8), st.integers(0, 8))
def test_the_one_that_fits_is_found_among_any_others(others, place):
    genuine = headers()["webhook-signature"]
    listed = [*others[:place], genuine, *others[place:]]
    sent = {**headers(), "webhook-signature": " ".join(one.replace(" ", "") for one in listed)}
    assert verify(sent, BODY, SECRET, now=NOW).id == ID
    without = {**sent, "webhook-signature": " ".join(o.replace(" ", "") for o in others) or "x"}
    with pytest.raises(NotGenuine):
        verify(without, BODY, SECRET, now=NOW)
