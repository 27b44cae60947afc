"""Who asks: step by step, no more than the doubt requires, and where it stays open."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.core import mail
from django.urls import reverse

from audits import workflow
from audits.core.identity import Check
from audits.models import ErasureRequest, PersonalDetails
from audits.queries import cases
from audits.services import asking, entering
from audits.services.asking import AnswerNotUsable
from audits.services.entering import Entry
from audits.services.four_eyes import NotYourDecision
from audits.services.receiving import Told
from audits.services.transitions import MoveNotAllowed
from audits.workflow.steps import advance
from lineage.services.subjects import register_subject
from tests.audits.kinds import approved, confirmed, member, now_of
from tests.audits.world import ADA, NOW, events, logged, person

pytestmark = pytest.mark.django_db
CHECK = Check(method="DOCUMENT", level="HIGH", doubt="ADDRESS_NOT_KNOWN")
OTHER = "ada.old@example.org"


@pytest.fixture
def officer(signing_key):
    return member("Case officer")


@pytest.fixture
def asked(officer):
    """Somebody who saw their data in an output and is known by an older address only."""
    person(OTHER, records=3)
    case = confirmed("SEEN_IN_OUTPUT")
    advance(case.pk)
    return case


def answer(case, *stated: tuple[str, str]):
    workflow.receive_information(case_id=case.pk, identifiers=stated)


def test_L13_what_was_stated_counts_only_once_staff_have_checked_it(asked, officer):
    answer(asked, ("EMAIL", OTHER))
    case = now_of(asked)
    assert (case.status, case.subject) == ("VERIFIED", None)
    with pytest.raises(MoveNotAllowed, match="the person is not identified"):
        workflow.accept(case_id=case.pk, ground="ART_17_1_A", user=officer)
    workflow.check_identity(case_id=case.pk, check=CHECK, user=officer)
    assert logged(case, "subject_identified")[-1] == {"result": "FOUND", "records": 3}
    approved(workflow.accept(case_id=case.pk, ground="ART_17_1_A", user=officer))
    assert now_of(case).status == "ACCEPTED"


def test_L13_a_check_is_kept_as_codes_and_its_document_is_destroyed(asked, officer):
    answer(asked, ("EMAIL", OTHER))
    workflow.check_identity(case_id=asked.pk, check=CHECK, user=officer)
    assert logged(asked, "identity_checked") == [
        {"method": "DOCUMENT", "level": "HIGH", "doubt": "ADDRESS_NOT_KNOWN"}
    ]
    workflow.note_proof_destroyed(case_id=asked.pk, user=officer)
    assert events(asked)[-1] == "identity_proof_destroyed"
    check = asked.identity_checks.get(method="DOCUMENT")
    assert check.proof_destroyed_at


def test_the_letter_leads_to_the_page_on_which_the_case_reopens(asked, client):
    link = next(word for word in str(mail.outbox[-1].body).split() if "/erasure/answer/" in word)
    path = "/erasure/answer/" + link.partition("/erasure/answer/")[2]
    assert client.get(path).status_code == 200
    page = client.post(path, {"email": "", "external": ""})
    assert page.status_code == 400
    assert "Enter an e-mail address or a number." in page.content.decode()
    assert client.post(path, {"email": OTHER, "external": ""}).status_code == 200
    assert now_of(asked).status == "VERIFIED"
    assert client.post(path, {"email": OTHER, "external": ""}).status_code == 410


def test_an_altered_link_answers_nothing(asked):
    question = asking.question_of(asked)
    assert question
    token = asking.answer_token(question)
    with pytest.raises(AnswerNotUsable, match="not complete or was changed"):
        asking.question_of_link(token[:-1])


def test_a_case_that_was_never_confirmed_is_not_confirmed_by_an_answer(officer):
    entry = entering.Entry(channel="EMAIL", received_at=NOW, email=ADA)
    case = entering.enter_request(entry=entry, user=officer, now=NOW).request
    workflow.ask_information(case_id=case.pk, doubt="ADDRESS_NOT_KNOWN", user=officer)
    answer(case, ("EMAIL", OTHER))
    assert (now_of(case).status, now_of(case).verified_at) == ("RECEIVED", None)


def test_a_person_is_asked_once(asked, officer):
    answer(asked, ("EXTERNAL", "4711"))
    with pytest.raises(MoveNotAllowed, match="asked for more already"):
        workflow.ask_information(case_id=asked.pk, doubt="CLAIMS_DIFFER", user=officer)


def test_L5_who_cannot_be_identified_is_told_and_how_to_give_more(asked, officer):
    answer(asked, ("EXTERNAL", "4711"))
    workflow.close_unidentified(case_id=asked.pk, reason="NOT_ENOUGH", user=officer)
    advance(asked.pk)
    case = now_of(asked)
    assert (case.status, case.outcome) == ("SEALED", "NOT_IDENTIFIED")
    assert logged(case, "person_not_identified") == [{"reason": "NOT_ENOUGH"}]
    assert logged(case, "subject_identified")[0]["result"] == "NOT_FOUND"  # a search was made
    assert "a new request, at any time" in str(mail.outbox[-1].body)


@pytest.mark.parametrize("waiting", [True, False])
def test_L5_a_case_is_closed_so_whether_or_not_the_person_answered(asked, officer, waiting):
    if not waiting:
        answer(asked, ("EXTERNAL", "4711"))
    workflow.close_unidentified(case_id=asked.pk, reason="NO_ANSWER", user=officer)
    advance(asked.pk)
    assert now_of(asked).status == "SEALED"


def test_who_is_identified_is_not_sent_away_as_unknown(officer):
    person(ADA, records=1)
    case = confirmed("ERASURE")
    with pytest.raises(MoveNotAllowed, match="the person is identified"):
        workflow.close_unidentified(case_id=case.pk, reason="NOT_ENOUGH", user=officer)
    assert logged(case, "action_refused") == [
        {"action": "CLOSE_UNIDENTIFIED", "reason": "MOVE_NOT_ALLOWED"}
    ]


def test_identifiers_of_two_people_make_no_case_about_either(officer):
    person(ADA, records=1)
    person(OTHER, records=1)
    told = Told(identifiers=(("EMAIL", OTHER),))
    entry = entering.Entry(channel="EMAIL", received_at=NOW, email=ADA, told=told)
    case = entering.enter_request(entry=entry, user=officer, now=NOW).request
    with pytest.raises(MoveNotAllowed, match="belongs to 2 people"):
        workflow.check_identity(case_id=case.pk, check=CHECK, user=officer)
    assert now_of(case).status == "RECEIVED"


def test_somebody_with_only_a_number_is_found_by_it_after_a_check(officer):
    subject = register_subject(identifiers={"EXTERNAL": "4711"}, now=NOW)
    told = Told(identifiers=(("EXTERNAL", "4711"),), postal_address="1 Mill Lane")
    entry = entering.Entry(
        channel="POST", received_at=NOW - timedelta(days=1), told=told, check=CHECK
    )
    case = entering.enter_request(entry=entry, user=officer, now=NOW).request
    assert case.subject == subject
    assert PersonalDetails.objects.get(request=case).identifiers == [["EXTERNAL", "4711"]]


@pytest.mark.parametrize(("field", "code"), [("method", "GUESS"), ("level", "SO_SO")])
def test_a_check_of_an_unknown_code_is_refused_by_name(field, code):
    with pytest.raises(ValueError, match=f"{field} is '{code}'; allowed are"):
        Check(**{"method": "DOCUMENT", "level": "LOW", field: code})


def test_a_case_that_waits_for_the_person_is_open(asked):
    assert asked in cases.open_cases()
    assert ErasureRequest.objects.get(pk=asked.pk).pk in cases.cases_at_work()


@pytest.fixture
def unanswered(officer):
    person(ADA, records=2)
    case = confirmed("ERASURE")
    workflow.ask_information(case_id=case.pk, doubt="CLAIMS_DIFFER", user=officer)
    advance(case.pk)
    return case


def test_a_question_that_nobody_answers_is_taken_back_and_the_case_decided(unanswered, officer):
    question = asking.question_of(unanswered)
    assert question
    workflow.take_question_back(case_id=unanswered.pk, user=officer)
    assert now_of(unanswered).status == "VERIFIED"
    assert logged(unanswered, "question_taken_back") == [{"doubt": "CLAIMS_DIFFER"}]
    with pytest.raises(AnswerNotUsable):
        asking.question_of_link(asking.answer_token(question))
    with pytest.raises(MoveNotAllowed, match="asked for more already"):
        workflow.ask_information(case_id=unanswered.pk, doubt="CLAIMS_DIFFER", user=officer)
    approved(workflow.accept(case_id=unanswered.pk, ground="ART_17_1_D", user=officer))
    assert now_of(unanswered).status == "ACCEPTED"


def test_a_question_asked_before_confirmation_is_taken_back_to_there(officer):
    entry = entering.Entry(channel="EMAIL", received_at=NOW, email=ADA)
    case = entering.enter_request(entry=entry, user=officer, now=NOW).request
    workflow.ask_information(case_id=case.pk, doubt="ADDRESS_NOT_KNOWN", user=officer)
    workflow.take_question_back(case_id=case.pk, user=officer)
    assert now_of(case).status == "RECEIVED"
    with pytest.raises(MoveNotAllowed, match="does not wait for an answer"):
        workflow.take_question_back(case_id=case.pk, user=officer)


def test_the_page_of_a_case_that_waits_offers_to_wait_no_longer(unanswered, officer, client):
    client.force_login(officer)
    page = client.get(reverse("audits:case", args=[unanswered.pk]))
    assert "Wait no longer for the answer" in page.content.decode()
    client.post(reverse("audits:question_back", args=[unanswered.pk]))
    assert now_of(unanswered).status == "VERIFIED"


# --- who may not say who asks, and when -------------------------------------------------------


def test_who_asks_is_not_changed_under_a_proposal(officer):
    register_subject(identifiers={"EMAIL": ADA}, now=NOW)
    person(OTHER, records=3)
    case = confirmed("ERASURE", told=Told(identifiers=(("EMAIL", OTHER),)))
    proposal = workflow.accept(case_id=case.pk, ground="ART_17_1_D", user=officer)
    subject = now_of(case).subject
    by_officer: dict[str, Any] = {"case_id": case.pk, "user": officer}
    for act in (
        partial(workflow.check_identity, check=CHECK),
        partial(workflow.ask_information, doubt="CLAIMS_DIFFER"),
        partial(workflow.close_unidentified, reason="NOT_ENOUGH"),
    ):
        with pytest.raises(MoveNotAllowed, match="a decision about this person is proposed"):
            act(**by_officer)
    assert now_of(case).subject == subject
    workflow.return_decision(decision=proposal, note="Check her.", user=member("Reviewer"))
    workflow.check_identity(**by_officer, check=CHECK)
    assert now_of(case).subject != subject


@pytest.mark.parametrize("email", [ADA, OTHER])
def test_nobody_checks_who_they_are_themselves(officer, email):
    person(OTHER, records=3)
    officer.email = email
    case = confirmed("ERASURE", told=Told(identifiers=(("EMAIL", OTHER),)))
    with pytest.raises(NotYourDecision, match="your own request"):
        workflow.check_identity(case_id=case.pk, check=CHECK, user=officer)
    assert (now_of(case).subject, case.identity_checks.count()) == (None, 0)
    assert logged(case, "action_refused") == [
        {"action": "CHECK_IDENTITY", "reason": "OWN_REQUEST"}
    ]


def test_nobody_closes_their_own_request_as_not_identified(asked, officer):
    officer.email = ADA
    with pytest.raises(NotYourDecision, match="your own request"):
        workflow.close_unidentified(case_id=asked.pk, reason="NO_ANSWER", user=officer)
    assert logged(asked, "action_refused") == [
        {"action": "CLOSE_UNIDENTIFIED", "reason": "OWN_REQUEST"}
    ]


@pytest.mark.parametrize(("channel", "state"), [("PHONE", "SENT"), ("POST", "TO_POST")])
def test_L7_whom_staff_made_sure_of_is_acknowledged_without_being_asked(officer, channel, state):
    """California asks for it within ten working days, and nobody follows a link here."""
    person(ADA, records=1)
    entry = Entry(channel=channel, received_at=NOW, email=ADA, told=Told(postal_address="1 Road"))
    checked = Check(method="CALL_BACK", level="SUBSTANTIAL")
    desk = workflow.enter(entry=replace(entry, check=checked, old_confirmed=True), user=officer)
    (letter,) = desk.letters.filter(code="ACKNOWLEDGEMENT")
    assert letter.state == state
    late = workflow.enter(entry=replace(entry, old_confirmed=True), user=officer)
    assert not late.letters.filter(code="ACKNOWLEDGEMENT").exists()
    ErasureRequest.objects.filter(pk=desk.pk).update(status="SEALED")  # no case to join
    workflow.check_identity(case_id=late.pk, check=checked, user=officer)
    workflow.check_identity(case_id=late.pk, check=checked, user=officer)
    assert late.letters.get(code="ACKNOWLEDGEMENT").state == state
