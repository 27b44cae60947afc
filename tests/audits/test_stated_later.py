"""A check of identity says nothing of what is stated after it; a link answers its own question."""

from __future__ import annotations

import pytest

from audits import workflow
from audits.core.identity import Check
from audits.queries.identity import has_unchecked, known_by
from audits.services import asking
from audits.services.asking import AnswerNotUsable
from audits.services.transitions import MoveNotAllowed
from tests.audits.kinds import confirmed, member, now_of
from tests.audits.test_mandates import sent_by_agent
from tests.audits.world import ADA, BERT, person

pytestmark = pytest.mark.django_db
CHECK = Check(method="CALL_BACK", level="SUBSTANTIAL")
NUMBER = ("EXTERNAL", "4711")


@pytest.fixture
def officer(signing_key):
    return member("Case officer")


def test_L13_what_is_stated_after_a_check_waits_for_another(officer):
    ada = person(ADA, records=2)
    case = confirmed("ERASURE", BERT)
    workflow.check_identity(case_id=case.pk, check=CHECK, user=officer)
    assert now_of(case).outcome == "NO_DATA_FOUND"
    workflow.ask_information(case_id=case.pk, doubt="CLAIMS_DIFFER", user=officer)
    workflow.receive_information(case_id=case.pk, identifiers=[("EMAIL", ADA)])
    assert known_by(now_of(case)) == [("EMAIL", BERT)]
    assert has_unchecked(now_of(case))
    with pytest.raises(MoveNotAllowed, match="the person is not identified"):
        workflow.accept(case_id=case.pk, ground="ART_17_1_A", user=officer)
    workflow.check_identity(case_id=case.pk, check=CHECK, user=officer)
    assert now_of(case).subject == ada
    assert not has_unchecked(now_of(case))


def test_what_was_checked_counts_on_when_more_is_stated(officer):
    case = sent_by_agent(officer)
    for number in (NUMBER, ("EXTERNAL", "4712")):
        asked = "CLAIMS_DIFFER" if number == NUMBER else "AGENT_WITHOUT_MANDATE"
        workflow.ask_information(case_id=case.pk, doubt=asked, user=officer)
        workflow.receive_information(case_id=case.pk, identifiers=[number])
        if number == NUMBER:
            workflow.check_identity(case_id=case.pk, check=CHECK, user=officer)
    assert known_by(now_of(case)) == [("EMAIL", ADA), NUMBER]


def test_the_link_of_a_question_that_was_taken_back_answers_no_other(officer, client):
    case = sent_by_agent(officer)
    workflow.ask_information(case_id=case.pk, doubt="CLAIMS_DIFFER", user=officer)
    first = asking.question_of(case)
    workflow.take_question_back(case_id=case.pk, user=officer)
    workflow.ask_information(case_id=case.pk, doubt="AGENT_WITHOUT_MANDATE", user=officer)
    assert first
    with pytest.raises(AnswerNotUsable):
        asking.question_of_link(asking.answer_token(first))
    with pytest.raises(MoveNotAllowed, match="something else was asked"):
        workflow.receive_information(case_id=case.pk, identifiers=[NUMBER], question_id=first.pk)
    second = asking.question_of(now_of(case))
    assert second
    assert asking.question_of_link(asking.answer_token(second)) == second
    assert now_of(case).status == "INFO_ASKED"
