"""Addresses that nobody confirmed are not kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.core import mail

from audits.models import ErasureRequest, Intake, LegalHold, LogLeaf, PersonalDetails
from audits.queries import cases
from audits.services import holds, requests, retention, unconfirmed
from audits.services.unconfirmed import expire_unconfirmed, remind_unconfirmed
from lineage import keys
from tests.audits.kinds import member

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)

pytestmark = pytest.mark.django_db


def received() -> requests.Received:
    return requests.receive_request(email="ada@example.org", channel="FORM", now=NOW)


def test_an_expired_request_loses_its_address_and_its_key(signing_key):
    request = received().request
    assert expire_unconfirmed(now=NOW + timedelta(hours=49)) == 1
    request.refresh_from_db()
    assert (request.email, request.confirm_digest) == ("", "")
    assert (request.status, request.outcome) == ("EXPIRED", "EXPIRED")
    with pytest.raises(keys.KeyDestroyed):
        keys.get(f"case:{request.pk}")
    assert LogLeaf.objects.filter(case_id=request.pk, type="case_key_destroyed").count() == 1
    assert request not in cases.open_cases()


def test_again_it_finds_nothing(signing_key):
    received()
    expire_unconfirmed(now=NOW + timedelta(hours=49))
    assert expire_unconfirmed(now=NOW + timedelta(hours=50)) == 0


def test_a_request_with_a_living_link_or_a_confirmed_one_is_left_alone(signing_key):
    waiting, confirmed = received(), received()
    requests.confirm_request(token=confirmed.confirm_token, now=NOW)
    assert expire_unconfirmed(now=NOW + timedelta(hours=47)) == 0
    expire_unconfirmed(now=NOW + timedelta(hours=49))
    confirmed.request.refresh_from_db()
    assert confirmed.request.email == "ada@example.org"
    assert ErasureRequest.objects.get(pk=waiting.request.pk).email == ""


def test_who_has_half_the_time_left_is_reminded_once_and_without_a_link(signing_key):
    request = received().request
    assert remind_unconfirmed(now=NOW + timedelta(hours=23)) == 0
    assert remind_unconfirmed(now=NOW + timedelta(hours=25)) == 1
    assert remind_unconfirmed(now=NOW + timedelta(hours=26)) == 0
    (letter,) = mail.outbox
    assert "It works until 4 March 2026" in " ".join(str(letter.body).split())
    assert "/erasure/confirm/" not in letter.body
    assert request.letters.get().code == "CONFIRM_REMINDER"


def test_nobody_is_reminded_of_a_link_that_works_no_more(signing_key):
    received()
    assert remind_unconfirmed(now=NOW + timedelta(hours=48, seconds=1)) == 0


def test_what_the_person_told_goes_with_the_address(signing_key):
    told = requests.Told(description="I saw my face.")
    wish = requests.Wish(kind="SEEN_IN_OUTPUT")
    got = requests.receive_request(
        email="ada@example.org", channel="FORM", now=NOW, wish=wish, told=told
    )
    expire_unconfirmed(now=NOW + timedelta(hours=49))
    assert not PersonalDetails.objects.filter(request=got.request).exists()


def test_what_staff_entered_does_not_expire(signing_key):
    """It came on paper, and the person may not even read e-mail."""
    request = received().request
    Intake.objects.create(request=request, source="STAFF", entered_at=NOW)
    assert expire_unconfirmed(now=NOW + timedelta(days=30)) == 0


def test_the_link_of_another_systems_request_lives_from_when_it_was_sent(signing_key):
    request = received().request
    sent = NOW + timedelta(days=5)
    Intake.objects.create(request=request, source="API", entered_at=sent)
    assert expire_unconfirmed(now=sent + timedelta(hours=47)) == 0
    assert expire_unconfirmed(now=sent + timedelta(hours=49)) == 1


def test_L18_a_released_hold_outlives_the_first_case_of_its_person(signing_key, settings):
    admin = member("Administrator")
    hold = holds.place_hold(
        basis="A claim.",
        review_on=NOW.date() + timedelta(days=9),
        user=admin,
        now=NOW,
        kind="EMAIL",
        identifier="ada@example.org",
    )
    holds.release_hold(hold_id=hold.pk, user=admin, now=NOW)
    received()
    assert expire_unconfirmed(now=NOW + timedelta(hours=49)) == 1
    after = NOW + timedelta(days=settings.EXPUNGE_CASE_DAYS)
    retention.destroy_due(now=after - timedelta(minutes=1))
    assert LegalHold.objects.filter(pk=hold.pk).exists()
    retention.destroy_due(now=after)
    assert not LegalHold.objects.filter(pk=hold.pk).exists()


def test_of_very_many_some_are_minded_now_and_the_rest_with_the_next_sweep(
    signing_key, monkeypatch
):
    monkeypatch.setattr(unconfirmed, "AT_ONCE", 2)
    for _ in range(3):
        received()
    soon, late = NOW + timedelta(hours=25), NOW + timedelta(hours=49)
    assert [remind_unconfirmed(now=soon) for _ in range(3)] == [2, 1, 0]
    assert [expire_unconfirmed(now=late) for _ in range(3)] == [2, 1, 0]
