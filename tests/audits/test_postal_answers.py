"""Cases of people who gave no e-mail address wait for their answer like any other."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.utils import timezone

from audits.core.identity import Check
from audits.models import Letter, PersonalDetails
from audits.queries import answering, cases, clocks
from audits.services import entering, letter_posting, records, retention
from audits.services.entering import Entry
from audits.services.receiving import Told
from audits.workflow import tasks
from tests.audits.kinds import member, now_of
from tests.audits.world import NOW

pytestmark = pytest.mark.django_db
LATER = date(2036, 1, 1)


@pytest.fixture
def officer(signing_key):
    return member("Case officer")


@pytest.fixture
def case(officer):
    """A case from a letter that is sealed; its worker died before it wrote the answer."""
    told = Told(identifiers=(("EXTERNAL", "C-1"),), postal_address="Ada, 1 Road")
    check = Check(method="CALL_BACK", level="SUBSTANTIAL")
    entry = Entry(channel="POST", old_confirmed=True, received_at=NOW, told=told, check=check)
    made = entering.enter_request(entry=entry, user=officer, now=NOW).request
    records.seal_case(case_id=made.pk, now=NOW)
    return now_of(made)


def late(case):
    return case in clocks.overdue(LATER)


def test_a_sealed_case_without_an_address_is_swept_until_its_answer_is_posted(case, officer):
    assert (case.status, case.outcome, case.email) == ("SEALED", "NO_DATA_FOUND", "")
    assert case.pk in cases.cases_at_work()
    assert late(case)
    tasks.sweep()
    letter = Letter.objects.get(request=case, code="ANSWER_NO_DATA_FOUND")
    assert letter.state == Letter.State.TO_POST
    assert late(case)
    posted_on = clocks.today(letter.created_at)
    letter_posting.record_posting(
        letter_id=letter.pk, posted_on=posted_on, user=officer, now=timezone.now()
    )
    assert not late(case)
    PersonalDetails.objects.filter(request=case).delete()  # what answering a case ends with
    assert case.pk not in cases.cases_at_work()


def test_an_answer_that_was_dropped_is_not_waited_for(case):
    Letter.objects.create(request=case, code="ANSWER_ERASED", state="DROPPED", created_at=NOW)
    assert not late(case)


def test_who_is_forgotten_waits_for_no_answer(case):
    retention.destroy_identity(case_id=case.pk, now=NOW + timedelta(days=900))
    assert not late(case)
    assert case.pk not in cases.cases_at_work()


@pytest.mark.parametrize("fields", [{"kind": "OPERATOR"}, {"due_rule": "NONE"}, {"outcome": ""}])
def test_a_case_that_nobody_asked_for_waits_for_no_answer(case, fields):
    assert case in answering.closed_unanswered()
    type(case).objects.filter(pk=case.pk).update(**fields)
    assert case not in answering.closed_unanswered()
