"""Receiving, confirming and deciding a request."""

from __future__ import annotations

import json
import re
import time
from datetime import date, timedelta
from types import SimpleNamespace

import pytest
from django.core import signing
from django.db import transaction

from audits.core.commitment import opens
from audits.models import ErasureRequest, LogLeaf
from audits.services import receiving, requests
from audits.services.requests import LinkNotUsable
from audits.services.transitions import MoveNotAllowed
from lineage import keys
from lineage.services.subjects import register_subject
from tests.audits.world import ADA, NOW, accept_now, events, logged, member, person

pytestmark = pytest.mark.django_db


def receive(email=ADA):
    return requests.receive_request(email=email, channel="FORM", now=NOW)


def confirm(received):
    return requests.confirm_request(token=received.confirm_token, now=NOW)


@pytest.fixture
def officer():
    return member("officer", "Case officer", "Model operator")


# --- receiving --------------------------------------------------------------------------------


def test_a_request_starts_its_clock_and_is_logged_without_the_address():
    request = receive().request
    assert (request.status, request.due_on) == ("RECEIVED", date(2026, 4, 2))
    (received,) = logged(request, "request_received")
    assert received["due_on"] == "2026-04-02"
    assert received["received_on"] == "2026-03-02"
    leaf = bytes(LogLeaf.objects.get(case_id=request.pk).data)
    assert b"ada" not in leaf


def test_the_commitment_in_the_log_opens_with_the_key_of_the_case():
    request = receive().request
    commitment = logged(request, "request_received")[0]["commitment"]
    key = keys.get(f"case:{request.pk}")
    assert opens(commitment, key, {"email": ADA})
    assert not opens(commitment, key, {"email": "eve@example.org"})


def test_secrets_are_stored_as_digests_only():
    received = receive()
    row = json.dumps(
        ErasureRequest.objects.filter(pk=received.request.pk).values()[0], default=str
    )
    assert received.confirm_token not in row
    assert received.status_token not in row
    assert requests.token_digest(received.status_token) in row


def test_references_are_easy_to_read_aloud_and_differ():
    found = {requests.new_reference() for _ in range(200)}
    assert len(found) == 200
    assert all(re.fullmatch(r"ER(-[2-9A-HJKMNP-TV-Z]{4}){2}", one) for one in found)


# --- the link ---------------------------------------------------------------------------------


def test_a_link_confirms_once():
    received = receive()
    request = confirm(received)
    assert (request.status, request.verified_at) == ("VERIFIED", NOW)
    with pytest.raises(LinkNotUsable, match=r"was used already.*status page"):
        confirm(received)
    assert events(request).count("request_verified") == 1


def test_looking_at_a_link_does_not_use_it_up():
    received = receive()
    for _ in range(2):
        assert requests.request_of_link(received.confirm_token) == received.request
    assert confirm(received).status == "VERIFIED"


@pytest.mark.parametrize(
    "alter", [lambda t: t[:-1], lambda t: "x" + t, lambda _: "", lambda t: t.swapcase()]
)
def test_an_altered_link_is_refused_with_what_to_do(alter):
    received = receive()
    with pytest.raises(LinkNotUsable, match=r"not complete or was changed\. Please copy"):
        requests.confirm_request(token=alter(received.confirm_token), now=NOW)
    received.request.refresh_from_db()
    assert received.request.status == "RECEIVED"


def test_an_expired_link_is_refused_with_what_to_do(settings, monkeypatch):
    received = receive()
    later = time.time() + settings.EXPUNGE_CONFIRM_HOURS * 3600 + 1
    monkeypatch.setattr(signing, "time", SimpleNamespace(time=lambda: later))
    with pytest.raises(LinkNotUsable, match=r"expired: links work for 48 hours\..*send the form"):
        confirm(received)


def test_a_link_that_we_signed_for_something_else_is_refused():
    received = receive()
    forged = signing.dumps({"case": str(received.request.pk)}, salt="another.salt")
    with pytest.raises(LinkNotUsable, match="not complete or was changed"):
        requests.confirm_request(token=forged, now=NOW)


def test_a_link_of_our_own_that_was_never_sent_is_refused():
    received = receive()
    other = signing.dumps({"case": str(received.request.pk)}, salt=requests.CONFIRM_SALT)
    with pytest.raises(LinkNotUsable, match="was used already"):
        requests.confirm_request(token=other, now=NOW)


def test_a_button_pressed_twice_at_the_same_moment_counts_once(monkeypatch):
    """Both presses found the link unused; only one of them moved the case."""
    received = receive()
    confirm(received)
    monkeypatch.setattr(receiving, "request_of_link", lambda _token: received.request)
    assert confirm(received).status == "VERIFIED"
    assert events(received.request).count("subject_identified") == 1


# --- who it is --------------------------------------------------------------------------------


def test_the_person_is_found_however_the_address_is_spelled():
    subject = person(ADA, records=2)
    request = confirm(receive("  ADA@Example.org"))
    assert (request.subject, request.outcome) == (subject, "")
    assert logged(request, "subject_identified") == [{"result": "FOUND", "records": 2}]


@pytest.mark.parametrize("known", [True, False])
def test_nothing_held_is_noted_whether_or_not_the_address_is_known(known):
    if known:
        register_subject(identifiers={"EMAIL": ADA}, now=NOW)
    request = confirm(receive())
    assert request.outcome == "NO_DATA_FOUND"
    assert logged(request, "subject_identified") == [{"result": "NOT_FOUND", "records": 0}]


def test_a_second_request_joins_the_first_that_is_confirmed():
    person(ADA, records=1)
    receive()  # never confirmed: it must not block anybody
    first, second = confirm(receive()), confirm(receive())
    assert (first.outcome, first.joined_to) == ("", None)
    assert (second.outcome, second.joined_to) == ("JOINED", first)


@pytest.mark.parametrize("status", ["REFUSED", "WITHDRAWN", "SEALED"])
def test_a_closed_case_is_not_joined(status):
    person(ADA, records=1)
    ErasureRequest.objects.filter(pk=confirm(receive()).pk).update(status=status)
    assert confirm(receive()).outcome == ""


# --- decisions --------------------------------------------------------------------------------


def test_an_accepted_request_cannot_be_withdrawn_any_more():
    person(ADA, records=1)
    request = confirm(receive())
    accept_now(request.pk)
    with pytest.raises(MoveNotAllowed, match="ACCEPTED; it can become WITHDRAWN only from"):
        requests.withdraw_request(case_id=request.pk, now=NOW)


def test_a_withdrawn_link_confirms_nothing():
    received = receive()
    requests.withdraw_request(case_id=received.request.pk, now=NOW)
    with pytest.raises(LinkNotUsable):
        confirm(received)


# --- failures ---------------------------------------------------------------------------------


def test_a_failure_keeps_where_the_case_was_and_a_retry_goes_back_there(officer):
    request = confirm(receive())
    ErasureRequest.objects.filter(pk=request.pk).update(status="AUDITING")
    fail = {"case_id": request.pk, "code": "StoreFull", "message": "x" * 9_000, "now": NOW}
    assert [requests.fail_case(**fail) for _ in range(2)] == [True, False]
    request.refresh_from_db()
    assert (request.status, request.failed_from, len(request.failure)) == (
        "FAILED",
        "AUDITING",
        2_000,
    )
    assert logged(request, "case_failed") == [{"code": "STORE_FULL"}]
    resume = {"case_id": request.pk, "user": officer, "now": NOW + timedelta(hours=1)}
    assert [requests.resume_case(**resume) for _ in range(2)] == [True, False]
    request.refresh_from_db()
    assert (request.status, request.failure, request.failed_from) == ("AUDITING", "", "")
    assert events(request).count("request_resumed") == 1


def test_a_pseudonym_of_staff_is_stable_and_tells_nobody_apart_from_outside(settings, tmp_path):
    one = requests.staff_pseudonym(1)
    assert requests.staff_pseudonym(1) == one != requests.staff_pseudonym(2)
    settings.KEYS = tmp_path / "other"
    assert requests.staff_pseudonym(1) != one


def test_a_move_and_its_event_are_kept_together_or_not_at_all():
    received = receive()
    with pytest.raises(RuntimeError):
        confirm_and_stumble(received)
    received.request.refresh_from_db()
    assert received.request.status == "RECEIVED"
    assert events(received.request) == ["request_received"]


@transaction.atomic
def confirm_and_stumble(received):
    confirm(received)
    raise RuntimeError
