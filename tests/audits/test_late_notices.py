"""A notice of the end of a restriction that could not leave in time."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from audits import workflow
from audits.models import ProcessingStop
from audits.services import letter_delivery, stopping
from audits.workflow.steps import advance
from tests.audits.kinds import BALANCE, approved, confirmed, member, restricted
from tests.audits.mail_server import no_mail_server
from tests.audits.world import ADA, person

pytestmark = pytest.mark.django_db


def test_a_notice_whose_day_has_passed_gives_way_to_one_with_a_new_day(signing_key, monkeypatch):
    person(ADA, records=2)
    case = confirmed("OBJECTION")
    staff = member("Case officer")
    made = workflow.decide_objection(case_id=case.pk, upheld=False, text=BALANCE, user=staff)
    with no_mail_server():
        approved(made)
        advance(case.pk)
    at = timezone.now() + timedelta(days=20)
    assert letter_delivery.deliver_waiting(now=at) == 1  # the answer, which names no such day
    assert case.letters.get(code="ANSWER_REFUSED").state == "SENT"
    for days, left in ((20, 2), (26, 2), (27, 0)):
        now = at + timedelta(days=days - 20)
        monkeypatch.setattr("audits.workflow.steps.timezone.now", lambda now=now: now)
        advance(case.pk)
        assert restricted() == left
    notices = case.letters.filter(code="LIFT_NOTICE").order_by("number")
    assert list(notices.values_list("state", flat=True)) == ["DROPPED", "SENT"]
    day = stopping.today(at) + timedelta(days=7)
    assert ProcessingStop.objects.get().lift_on == day
    (told,) = [one for one in mail.outbox if "restriction ends on" in str(one.body)]
    assert f"{day:%-d %B %Y}" in " ".join(str(told.body).split())
