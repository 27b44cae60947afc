"""Staff are reminded of answers that fall due, once for each stage, and no person is."""

from __future__ import annotations

import io
import json
from datetime import date, timedelta

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.utils import timezone

from audits.models import CaseClock, ErasureRequest, Letter
from audits.queries import clocks
from audits.services import reminders
from audits.workflow import tasks
from audits.workflow.clock_actions import mind_clocks
from lineage.models import Backup
from tests.audits.clock_cases import RECEIVED, at, member, waiting
from tests.audits.mail_server import no_mail_server
from tests.audits.world import ADA, logged

pytestmark = pytest.mark.django_db


@pytest.fixture
def case(signing_key):
    return waiting()


def stages(case):
    return [one["stage"] for one in logged(case, "reminder_due")]


def test_L8_reminders_come_at_half_three_quarters_nine_tenths_and_overdue_once_each(case):
    """The period is of thirty days, from 31 January to 2 March."""
    for day in range(40):
        for hour in (0, 6):
            mind_clocks(RECEIVED + timedelta(days=day, hours=hour))
    assert stages(case) == ["P50", "P75", "P90", "OVERDUE"]
    days = [row.at.date() for row in _events(case)]
    assert days == [date(2026, 2, 15), date(2026, 2, 23), date(2026, 2, 27), date(2026, 3, 3)]
    assert len(mail.outbox) == 4


def test_a_digest_names_references_and_no_person(case):
    other = waiting("bert@example.org")
    staff = member(email="officer@example.org")
    member("Auditor", email="auditor@example.org")
    mind_clocks(at("03-10"))
    (message,) = mail.outbox
    assert message.to == ["privacy@localhost"]
    assert message.bcc == [staff.email]
    text = f"{message.subject}\n{message.body}"
    assert case.reference in text
    assert other.reference in text
    assert "overdue" in text
    assert not {ADA, "ada", "bert"} & set(text.lower().replace("@", " ").split())
    assert not {ADA, "bert@example.org"} & {*message.to, *message.cc, *message.bcc}


def test_of_very_many_one_digest_tells_once_all_are_noted(case, monkeypatch):
    monkeypatch.setattr(reminders, "AT_ONCE", 2)
    waiting("bert@example.org")
    waiting("cleo@example.org")
    mind_clocks(at("03-10"))
    assert mail.outbox == []
    mind_clocks(at("03-10", hour=13))
    (message,) = mail.outbox
    assert message.subject == "3 answers to requests fall due"


def test_a_long_digest_names_the_first_and_counts_the_others(case, monkeypatch):
    monkeypatch.setattr(reminders, "LISTED", 2)
    others = [waiting("bert@example.org"), waiting("cleo@example.org")]
    mind_clocks(at("03-10"))
    (message,) = mail.outbox
    assert message.subject == "3 answers to requests fall due"
    named = [one.reference in message.body for one in (case, *others)]
    assert (sum(named), "... and 1 more." in message.body) == (2, True)
    assert not CaseClock.objects.filter(digest_at=None).exists()


@pytest.mark.parametrize("error", [OSError, ValueError])
def test_a_mail_server_that_is_down_costs_no_reminder(case, error):
    with no_mail_server(error):
        mind_clocks(at("02-16"))
    assert (stages(case), mail.outbox) == (["P50"], [])
    assert reminders.send_digest(now=at("02-16", hour=13)) == 1
    assert reminders.send_digest(now=at("02-16", hour=14)) == 0
    assert len(mail.outbox) == 1


def test_a_new_due_date_begins_a_period_of_its_own(case):
    mind_clocks(at("02-25"))
    ErasureRequest.objects.filter(pk=case.pk).update(due_on=date(2026, 4, 30))
    mind_clocks(at("02-26"))
    mind_clocks(at("03-20"))
    assert stages(case) == ["P75", "P50"]


def test_an_answered_case_is_not_reminded_of_and_an_unsent_answer_is(case):
    ErasureRequest.objects.filter(pk=case.pk).update(status="SEALED", outcome="ERASED")
    assert list(clocks.overdue(date(2026, 3, 3))) == [case]
    Letter.objects.create(
        request=case, code="ANSWER_ERASED", created_at=RECEIVED, sent_at=RECEIVED
    )
    assert not clocks.overdue(date(2026, 3, 3)).exists()
    mind_clocks(at("03-10"))
    assert (stages(case), mail.outbox) == ([], [])


def test_F4_a_case_is_overdue_the_day_after_and_stays_so(case):
    assert not clocks.overdue(date(2026, 3, 2)).exists()
    assert list(clocks.overdue(date(2026, 3, 3))) == [case]
    assert list(clocks.overdue(date(2036, 3, 3))) == [case]


def test_L8_the_sweep_minds_the_clocks(case):
    tasks.sweep()
    assert stages(case) == ["OVERDUE"]
    assert CaseClock.objects.get().digest_at is not None


# --- the command ------------------------------------------------------------------------------


def said(*words: str) -> str:
    out = io.StringIO()
    try:
        call_command("overdue", *words, stdout=out)
    except CommandError as error:
        return out.getvalue() + str(error)
    return out.getvalue()


def test_what_is_overdue_is_listed_and_fails_the_command(case):
    text = said()
    assert f"{case.reference}  due 2026-03-02, " in text
    assert text.endswith("1 answer(s) and 0 backup(s) overdue.")
    assert ADA not in text


def test_nothing_overdue_is_said_so(signing_key):
    waiting(received=timezone.now())
    assert said() == "No answer is overdue.\n"
    assert json.loads(said("--json")) == {"overdue": [], "backups": []}


def test_a_backup_that_should_be_destroyed_is_overdue_until_it_is(db):
    made = timezone.now() - timedelta(days=9)
    Backup.objects.create(
        name="nightly", made_at=made, expires_at=made + timedelta(days=7), covers="database"
    )
    day = f"{made + timedelta(days=7):%Y-%m-%d}"
    assert f"Backup nightly  expired {day}, not destroyed" in said()
    assert said().endswith("0 answer(s) and 1 backup(s) overdue.")
    Backup.objects.update(destroyed_at=timezone.now())
    assert said() == "No answer is overdue.\n"


def test_L8_answers_that_were_sent_too_late_are_listed(case):
    for code, sent in (("CONFIRM", "03-20"), ("ANSWER_ERASED", "03-03")):
        Letter.objects.create(
            request=case, code=code, created_at=RECEIVED, sent_at=at(sent), digest=""
        )
    ErasureRequest.objects.filter(pk=case.pk).update(status="SEALED", email="")
    assert json.loads(said("--json", "--answered")) == {
        "overdue": [],
        "backups": [],
        "answered_late": [
            {"reference": case.reference, "due_on": "2026-03-02", "answered_on": "2026-03-03"}
        ],
    }
    Letter.objects.filter(code="ANSWER_ERASED").update(sent_at=at("03-02", hour=22))
    assert json.loads(said("--json", "--answered"))["answered_late"] == []


def _events(case):
    from audits.models import LogLeaf

    return LogLeaf.objects.filter(case_id=case.pk, type="reminder_due").order_by("index")
