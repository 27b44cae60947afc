"""A case is called overdue exactly where somebody waits for an answer."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from audits.models import ErasureRequest, Letter
from audits.queries import clocks
from audits.queries.answering import RESTRICTED
from tests.audits.views import worlds
from tests.audits.views.visits import text_of

pytestmark = pytest.mark.django_db


def long_due(case, changes=None):
    due = clocks.today(timezone.now()) - timedelta(days=40)
    ErasureRequest.objects.filter(pk=case.pk).update(due_on=due, **(changes or {}))
    case.refresh_from_db()
    return case


def pages_of(client, case):
    listed = "/cases/" if case.status != "SEALED" else "/cases/?show=overdue"
    return [text_of(client.get(path)) for path in (f"/cases/{case.pk}/", listed)]


def test_an_open_case_past_its_day_is_overdue(reader):
    long_due(worlds.verified())
    for page in pages_of(reader, ErasureRequest.objects.get()):
        assert "Overdue by 40 days" in page


def test_a_restriction_of_which_the_person_was_told_is_not_overdue(reader):
    told = {"kind": "RESTRICTION", "status": "RESTRICTED", "outcome": ""}
    case = long_due(worlds.verified(), told)
    now = timezone.now()
    Letter.objects.create(
        request=case, code=RESTRICTED, sent_at=now, state="SENT", locale="en", created_at=now
    )
    assert not clocks.unanswered().exists()
    for page in pages_of(reader, case):
        assert "Overdue by" not in page


def test_a_closed_case_whose_answer_has_not_left_is_overdue_and_says_so(reader):
    case = long_due(worlds.erased())
    case.email = "ada@example.org"
    case.save()
    case.letters.filter(code__startswith="ANSWER").update(sent_at=None, state="FAILED")
    assert clocks.unanswered().get() == case
    whole, listed = pages_of(reader, case)
    assert "Overdue by 40 days" in whole
    assert "Overdue by 40 days" in listed
    assert "The answer has not left yet" in whole
    assert "nothing is left to do" not in whole


def test_a_closed_case_that_was_answered_has_nothing_left_to_do(reader):
    case = long_due(worlds.erased())
    now = timezone.now()
    Letter.objects.create(
        request=case, code="ANSWER_ERASED", sent_at=now, state="SENT", locale="en", created_at=now
    )
    whole, _ = pages_of(reader, case)
    assert "nothing is left to do" in whole
    assert "Overdue by" not in whole
