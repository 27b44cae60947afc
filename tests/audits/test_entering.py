"""Requests that come by post, telephone, in person or from another system."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from audits import workflow
from audits.core.identity import Check
from audits.models import ErasureRequest
from audits.queries.addressees import address_of
from audits.services import entering
from audits.services.entering import Agent, Entry
from audits.services.receipts import EntryRefused
from audits.services.receiving import Told
from audits.services.rights import NotAllowed
from audits.services.transitions import MoveNotAllowed
from audits.workflow import intake_actions
from audits.workflow.steps import advance
from lineage.services.api_keys import create_key
from lineage.services.subjects import register_subject
from tests.audits.kinds import approved, confirmed, member, now_of
from tests.audits.world import ADA, NOW, events, logged, person

pytestmark = pytest.mark.django_db
ENTRY = Entry(channel="EMAIL", received_at=NOW - timedelta(days=3), email=ADA)
CHECK = Check(method="CALL_BACK", level="SUBSTANTIAL")


@pytest.fixture
def clerk(signing_key):
    return member("Intake")


def enter(user, **change: Any):  # noqa: ANN401  (fields of an Entry)
    entry = replace(ENTRY, **change)
    return entering.enter_request(entry=entry, user=user, now=NOW).request


# --- staff ------------------------------------------------------------------------------------


def test_L7_the_clock_runs_from_the_true_receipt_and_who_entered_it_is_kept(clerk):
    case = enter(clerk)
    assert (case.received_at, case.due_on) == (NOW - timedelta(days=3), date(2026, 3, 27))
    assert (case.intake.entered_at, case.intake.entered_by) == (NOW, clerk)
    (told,) = logged(case, "request_entered")
    assert (told["received_on"], told["entered_on"]) == ("2026-02-27", "2026-03-02")


def test_a_receipt_that_lies_ahead_is_refused_with_both_times(clerk):
    with pytest.raises(EntryRefused, match=r"received_at is 2026-03-02 09:31, which lies ahead"):
        enter(clerk, received_at=NOW + timedelta(minutes=1))
    assert not ErasureRequest.objects.exists()


def test_a_receipt_of_more_than_three_months_ago_must_be_confirmed(clerk):
    long_ago = NOW - timedelta(days=93)
    with pytest.raises(EntryRefused, match=r"long overdue\. Confirm that this is the day"):
        enter(clerk, received_at=long_ago)
    assert enter(clerk, received_at=long_ago, old_confirmed=True).received_at == long_ago
    with pytest.raises(EntryRefused, match="in the year 1999; allowed is 2000 on"):
        enter(clerk, received_at=datetime(1999, 12, 31, tzinfo=UTC), old_confirmed=True)


def test_L22_who_may_not_enter_requests_enters_none(signing_key):
    with pytest.raises(NotAllowed, match="You may not enter requests"):
        enter(member("Auditor"))


@pytest.mark.parametrize(
    ("channel", "email", "answered"),
    [
        ("EMAIL", ADA, "EMAIL"),
        ("POST", ADA, "LETTER"),
        ("PHONE", ADA, "EMAIL"),
        ("PHONE", "", "LETTER"),
    ],
)
def test_L10_the_answer_goes_the_way_the_request_came(clerk, channel, email, answered):
    told = Told(postal_address="1 Mill Lane", identifiers=(("EXTERNAL", "4711"),))
    case = enter(clerk, channel=channel, email=email, told=told)
    assert (case.intake.answer_by, case.intake.answer_by_asked) == (answered, False)
    assert address_of(case, "ANSWER") == (ADA if answered == "EMAIL" else "")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"email": ""}, "Nobody is named"),
        ({"channel": "PIGEON"}, "channel is 'PIGEON'; allowed are POST"),
        ({"channel": "POST"}, "postal_address is empty"),
        ({"agent": Agent()}, "agent_name is empty"),
        ({"answer_by": "FAX"}, "answer_by is 'FAX'; allowed are EMAIL, LETTER"),
        (
            {"agent": Agent(answer_to_agent=True), "told": Told(agent_name="Lee")},
            "agent_contact is empty",
        ),
    ],
)
def test_what_cannot_be_answered_is_not_entered(clerk, change, sentence):
    with pytest.raises(EntryRefused, match=sentence):
        enter(clerk, **change)


def test_an_agent_decides_nothing_before_the_mandate_was_seen(clerk):
    person(ADA, records=2)
    told = Told(agent_name="Lee", agent_contact="lee@example.com")
    case = enter(clerk, agent=Agent(answer_to_agent=True), told=told, check=CHECK)
    officer = member("Case officer")
    with pytest.raises(MoveNotAllowed, match="mandate nobody has seen"):
        workflow.accept(case_id=case.pk, ground="ART_17_1_A", user=officer)
    workflow.see_mandate(case_id=case.pk, digest="ab" * 32, user=clerk)
    approved(workflow.accept(case_id=case.pk, ground="ART_17_1_A", user=officer))
    assert now_of(case).status == "ACCEPTED"
    assert address_of(case, "ANSWER_ERASED") == "lee@example.com"
    assert address_of(case, "CONFIRM") == ADA
    assert "Lee" not in str([logged(case, kind) for kind in events(case)])


def test_an_agent_without_a_mandate_is_told_of_no_outcome(clerk):
    told = Told(identifiers=(("EXTERNAL", "C-1"),), agent_name="X", agent_contact="x@example.net")
    case = enter(clerk, email="", told=told, agent=Agent(answer_to_agent=True), check=CHECK)
    advance(case.pk)
    assert (now_of(case).status, now_of(case).outcome) == ("VERIFIED", "NO_DATA_FOUND")
    assert not mail.outbox
    workflow.see_mandate(case_id=case.pk, digest="ab" * 32, user=clerk)
    advance(case.pk)
    assert now_of(case).status == "SEALED"


def test_an_agent_without_a_mandate_is_not_refused_either(clerk):
    person(ADA, records=2)
    told = Told(agent_name="Lee", agent_contact="lee@example.com")
    case = enter(clerk, agent=Agent(answer_to_agent=True), told=told, check=CHECK)
    with pytest.raises(MoveNotAllowed, match="mandate nobody has seen"):
        workflow.refuse(case_id=case.pk, code="ART_17_3_B", user=member("Case officer"))
    assert not case.decisions.exists()


def test_staff_who_saw_the_person_verify_them_at_once(clerk):
    person(ADA, records=2)
    case = enter(clerk, channel="IN_PERSON", check=CHECK)
    assert (case.status, case.verified_at) == ("VERIFIED", NOW)
    assert logged(case, "request_verified") == [{"method": "CALL_BACK"}]


def test_an_unconfirmed_entry_leaves_a_confirmed_case_alone_and_a_confirmed_one_joins_it(clerk):
    person(ADA, records=2)
    first = confirmed("ERASURE")
    second = enter(clerk)
    assert (now_of(first).status, now_of(second).status) == ("VERIFIED", "RECEIVED")
    third = enter(clerk, check=CHECK)
    assert (third.outcome, third.joined_to) == ("JOINED", first)
    assert now_of(first).outcome == ""


# --- another system ---------------------------------------------------------------------------


@pytest.fixture
def key(signing_key):
    made = create_key(name="portal", scopes=["intake"], now=timezone.now(), lifetime=None)
    return made.secret


def post(client, key, content, *, idempotency="one"):
    return client.post(
        "/api/v1/cases",
        json.dumps(content),
        content_type="application/json",
        headers={"authorization": f"Bearer {key}", "idempotency-key": idempotency},
    )


def test_a_system_hands_in_a_request_and_the_person_gets_the_link(client, key):
    answer = post(client, key, {"email": ADA, "kind": "CONSENT"})
    assert answer.status_code == 201
    case = ErasureRequest.objects.get()
    assert (case.reference, case.kind, case.channel) == (
        answer.json()["reference"],
        "CONSENT",
        "API",
    )
    assert mail.outbox[-1].to == [ADA]
    assert ADA not in answer.content.decode()


def test_the_same_call_again_makes_no_second_case_and_writes_no_second_letter(client, key):
    first, second = (post(client, key, {"email": ADA}) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    assert (ErasureRequest.objects.count(), len(mail.outbox)) == (1, 1)


def test_a_key_that_stands_for_another_request_is_a_conflict(client, key):
    post(client, key, {"email": ADA})
    assert post(client, key, {"email": "eve@example.org"}).status_code == 409
    assert ErasureRequest.objects.count() == 1


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ({"email": ADA, "kind": "OPERATOR"}, "kind"),
        ({"email": "nobody"}, "does not have the form"),
        ({"email": ADA, "received_at": "2999-01-01T00:00:00Z"}, "lies ahead"),
        ({"email": ADA, "received_at": "9999-12-31T23:59:59-14:00"}, "lies ahead"),
        ({"email": ADA, "received_at": "0001-01-01T00:00:00+14:00"}, "is in the year 1;"),
        ({"email": ADA, "received_at": "2001-01-01T00:00:00Z"}, "more than a year ago"),
        ({"email": ADA, "received_at": "2026-01-01T00:00:00"}, "no time zone"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_kept(client, key, content, sentence):
    answer = post(client, key, content)
    assert answer.status_code == 422
    assert sentence in answer.json()["detail"]
    assert not ErasureRequest.objects.exists()


def test_how_far_a_case_is_says_nothing_about_the_person_and_only_to_who_sent_it(client, key):
    reference = post(client, key, {"email": ADA}).json()["reference"]
    get = f"/api/v1/cases/{reference}"
    told = client.get(get, headers={"authorization": f"Bearer {key}"})
    assert told.json()["status"] == "RECEIVED"
    assert ADA not in told.content.decode()
    other = create_key(name="other", scopes=["intake"], now=timezone.now(), lifetime=None).secret
    assert client.get(get, headers={"authorization": f"Bearer {other}"}).status_code == 404


def test_a_key_without_the_scope_is_refused(client, signing_key):
    made = create_key(name="x", scopes=["serve"], now=timezone.now(), lifetime=None)
    assert post(client, made.secret, {"email": ADA}).status_code == 403


def test_a_call_whose_letter_was_not_sent_can_be_made_again(client, key, monkeypatch):
    monkeypatch.setattr(intake_actions, "send_links", lambda _: False)
    assert post(client, key, {"email": ADA}).status_code == 503
    monkeypatch.undo()
    assert post(client, key, {"email": ADA}).status_code == 201


# --- nothing stays of who is not known ----------------------------------------------------------


def test_nothing_by_which_an_unknown_person_could_be_found_stays(clerk, settings, tmp_path):
    settings.EXPUNGE_JOURNAL = tmp_path / "erasures.jsonl"
    subject = register_subject(identifiers={"EMAIL": ADA}, now=NOW)
    case = confirmed("ERASURE")
    advance(case.pk)
    case = now_of(case)
    assert (case.status, case.outcome) == ("SEALED", "NO_DATA_FOUND")
    assert not subject.identifiers.exists()
    assert "subject_key_destroyed" in events(case)


def test_who_wants_a_restriction_is_not_erased_for_having_no_records(clerk):
    subject = register_subject(identifiers={"EMAIL": ADA}, now=NOW)
    case = confirmed("RESTRICTION")
    advance(case.pk)
    assert now_of(case).outcome == "NO_DATA_FOUND"
    assert subject.identifiers.exists()
