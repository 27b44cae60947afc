"""The clock on the pages of staff: how a date came about, what may be done, what is late."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from audits.models import ErasureRequest, ExtensionDecision
from tests.audits.clock_cases import REASON, asked, member, waiting
from tests.audits.mail_server import no_mail_server
from tests.audits.views import worlds
from tests.audits.world import ADA

ANSWERS = {"code": "COMPLEXITY", "text": REASON}


def client_of(user):
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def handler():
    return client_of(member())


@pytest.fixture
def case():
    return waiting(received=timezone.now())


def page(client, path):
    response = client.get(path)
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def at(case, ending=""):
    return f"/cases/{case.pk}/{ending}"


def late(case):
    ErasureRequest.objects.filter(pk=case.pk).update(
        due_on=timezone.now().date() - timedelta(days=3)
    )
    return case


# --- the derivation ---------------------------------------------------------------------------


def test_L8_the_page_tells_how_the_due_date_was_derived(handler):
    text = page(handler, at(waiting()))
    assert "Received on 31 January 2026 at 12:00 UTC" in text
    assert "one month after the day of receipt (GDPR (EU)), on Saturday 28 February 2026" in text
    assert "moved to the next working day, Monday 2 March 2026: 28 February is a Saturday" in text
    assert "Aim for" in text
    assert "Public holidays are those of FR (holidays 0." in text
    assert "could not be extended" not in text


def test_a_case_without_a_clock_is_shown_all_the_same(reader):
    case = worlds.verified()
    ErasureRequest.objects.filter(pk=case.pk).update(due_on=date(2026, 3, 2))
    case.clock.delete()
    text = page(reader, at(case))
    assert "2 March 2026" in text
    assert 'id="clock"' not in text


# --- extending --------------------------------------------------------------------------------


def test_L9_staff_extend_on_a_page_and_the_person_is_told(handler, case):
    assert at(case, "extend/") in page(handler, at(case))
    assert "The person is written to at once" in page(handler, at(case, "extend/"))
    response = handler.post(at(case, "extend/"), ANSWERS, follow=True)
    text = " ".join(response.content.decode().split())
    assert "The person was told. The answer is due on" in text
    assert at(case, "extend/") not in text
    assert [one.to for one in mail.outbox] == [[ADA]]
    before = case.due_on
    case.refresh_from_db()
    assert case.due_on > before


@pytest.mark.parametrize("answers", [{}, {"code": "COMPLEXITY", "text": "too short"}])
def test_a_form_that_says_too_little_is_shown_again(handler, case, answers):
    response = handler.post(at(case, "extend/"), answers)
    assert response.status_code == 400
    assert "There is a problem" in response.content.decode()
    assert not ExtensionDecision.objects.exists()


def test_L9_after_the_first_month_there_is_no_button_and_no_form(handler):
    case = waiting()
    text = page(handler, at(case))
    assert at(case, "extend/") not in text
    assert "had to be told by 2 March 2026" in text
    assert handler.get(at(case, "extend/")).headers["Location"] == at(case)
    refused = handler.post(at(case, "extend/"), ANSWERS)
    assert refused.status_code == 400
    shown = refused.content.decode()
    assert "had to be told by 2 March 2026" in shown
    assert ANSWERS["text"] in shown
    assert not ExtensionDecision.objects.exists()


def test_L9_a_notice_that_fails_is_said_and_can_be_sent_again(handler, case):
    with no_mail_server():
        response = handler.post(at(case, "extend/"), ANSWERS, follow=True)
    text = response.content.decode()
    assert "the notice could not be sent. The due date stays" in text
    assert "The extension does not count yet" in text
    before = case.due_on
    case.refresh_from_db()
    assert case.due_on == before
    handler.post(at(case, "extend/tell/"))
    case.refresh_from_db()
    assert case.due_on > before


def test_who_does_not_handle_cases_is_offered_nothing_and_refused(case):
    auditor = client_of(member("Auditor"))
    text = page(auditor, at(case))
    for ending in ("extend/", "extend/tell/", "clock/pause/", "clock/resume/"):
        assert at(case, ending) not in text
        assert auditor.post(at(case, ending), ANSWERS).status_code == 403
    assert auditor.get(at(case, "extend/")).status_code == 403
    assert not ExtensionDecision.objects.exists()


def test_a_notice_after_the_first_month_is_said_to_be_too_late(handler, case):
    ExtensionDecision.objects.create(
        request=case,
        reason_code="NUMBER",
        reason_text=REASON,
        decided_at=case.received_at,
        new_due=case.due_on,
    )
    case.clock.due_on = case.clock.raw = case.received_at.date() - timedelta(days=3)
    case.clock.save()
    response = handler.post(at(case, "extend/tell/"), follow=True)
    text = response.content.decode()
    assert "lapsed: the notice was not sent before the first limit passed" in text
    assert "Extension lapsed" in text
    assert mail.outbox == []


# --- pausing ----------------------------------------------------------------------------------


def test_L13_a_page_offers_no_pause_where_it_is_off_and_refuses_it(handler, case):
    text = page(handler, at(case))
    assert at(case, "clock/pause/") not in text
    assert "The clock does not stop while the person is asked who they are" in text
    response = handler.post(at(case, "clock/pause/"), {"reason": "IDENTITY"}, follow=True)
    assert "EXPUNGE_IDENTITY_PAUSE is off" in response.content.decode()
    assert not case.clock_pauses.exists()


def test_L13_a_clock_is_stopped_and_goes_on_from_its_page(handler, case, settings):
    settings.EXPUNGE_IDENTITY_PAUSE = True
    assert at(case, "clock/pause/") not in page(handler, at(case))
    asked(case, case.received_at)
    assert at(case, "clock/pause/") in page(handler, at(case))
    handler.post(at(case, "clock/pause/"), {"reason": "IDENTITY"})
    text = page(handler, at(case))
    assert "Stands still" in text
    assert "Without pauses the answer is due on" in text
    assert at(case, "clock/pause/") not in text
    handler.post(at(case, "clock/resume/"))
    assert "Stands still" not in page(handler, at(case))
    assert case.clock_pauses.get().until is not None


# --- what is late -----------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/cases/", "/cases/?show=closed", "/data/", "/models/"])
def test_L8_overdue_stands_in_the_head_of_every_page_of_staff(reader, path):
    assert "overdue</a>" not in page(reader, path)
    late(worlds.verified())
    assert '<a class="badge bad" href="/cases/?show=overdue">1 overdue</a>' in page(reader, path)


def test_the_list_can_show_what_is_overdue_alone(reader, case):
    first = late(waiting("bert@example.org"))
    text = page(reader, "/cases/?show=overdue")
    assert first.reference in text
    assert case.reference not in text
    assert "Overdue (1)" in text
    ErasureRequest.objects.filter(pk=first.pk).update(due_on=case.due_on)
    assert "No answer is overdue." in page(reader, "/cases/?show=overdue")
