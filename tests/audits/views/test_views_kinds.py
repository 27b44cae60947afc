"""Entering a request, and what staff do about its kind, as pages."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from audits import workflow
from audits.models import ErasureRequest
from tests.audits.kinds import BALANCE, approved, member
from tests.audits.views import worlds
from tests.audits.world import logged


@pytest.fixture
def officer():
    client = Client()
    client.force_login(member("Case officer"))
    return client


@pytest.fixture
def auditor():
    client = Client()
    client.force_login(member("Auditor"))
    return client


def text_of(response):
    return response.content.decode()


def filled(**change: str):
    came = timezone.localtime() - timedelta(days=2)
    said = {"kind": "ERASURE", "channel": "EMAIL", "email": worlds.EMAIL, "answer_by": ""}
    return {**said, "received_date": f"{came:%Y-%m-%d}", "received_time": "10:00", **change}


def confirmed(kind):
    worlds.person()
    received = workflow.submit(email=worlds.EMAIL, kind=kind)
    return workflow.confirm(token=received.confirm_token)


def test_a_request_is_entered_with_the_day_on_which_it_came(officer):
    page = text_of(officer.get("/cases/enter/"))
    assert "The day of receipt, not today" in page
    response = officer.post("/cases/enter/", filled(kind="MARKETING"), follow=True)
    case = ErasureRequest.objects.get()
    assert (case.kind, case.stop.objection) == ("OBJECTION", "MARKETING")
    assert case.received_at < timezone.now() - timedelta(days=1)
    assert "by Case officer" in text_of(response)


def test_a_receipt_that_lies_ahead_is_said_and_nothing_typed_is_lost(officer):
    ahead = f"{timezone.localtime() + timedelta(days=2):%Y-%m-%d}"
    response = officer.post("/cases/enter/", filled(received_date=ahead))
    assert response.status_code == 400
    assert "lies ahead" in text_of(response)
    assert worlds.EMAIL in text_of(response)


def test_who_may_only_read_sees_no_button_and_gets_no_page(auditor):
    assert "Enter a request" not in text_of(auditor.get("/cases/"))
    assert auditor.get("/cases/enter/").status_code == 403


def test_an_objection_is_decided_on_its_page(officer):
    case = confirmed("OBJECTION")
    shown = text_of(officer.get(f"/cases/{case.pk}/"))
    assert "Decide the objection" in shown
    form = {"result": "OVERRULED", "balance": BALANCE}
    officer.post(f"/cases/{case.pk}/objection/", form)
    approved(case.decisions.get())
    case.refresh_from_db()
    assert (case.status, case.refusal_code) == ("REFUSED", "ART_21_1")
    assert BALANCE in text_of(officer.get(f"/cases/{case.pk}/"))


def test_a_decision_without_the_right_is_refused_and_logged(auditor):
    case = confirmed("OBJECTION")
    form = {"result": "UPHELD", "balance": BALANCE}
    assert auditor.post(f"/cases/{case.pk}/objection/", form).status_code == 403
    assert logged(case, "action_refused") == [{"action": "DECIDE_OBJECTION", "reason": "NO_RIGHT"}]


@pytest.mark.parametrize(
    "page",
    ["identity", "identity/ask", "identity/none", "mandate", "objection", "restrict", "lift"],
)
def test_every_question_is_asked_on_a_page_and_wants_an_answer(officer, page):
    case = confirmed("RESTRICTION")
    assert officer.get(f"/cases/{case.pk}/{page}/").status_code == 200
    if page != "mandate":
        assert officer.post(f"/cases/{case.pk}/{page}/").status_code == 400


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        ("identity/answer", "No answer is awaited"),
        ("mandate", "No agent asks in this case"),
        ("objection", "The person did not object"),
        ("restrict", "The person did not ask to have the data kept and not used"),
        ("lift", "holds no restriction that can be lifted"),
    ],
)
def test_what_is_not_for_a_case_is_said_before_anything_is_asked(officer, page, reason):
    shown = text_of(officer.get(f"/cases/{confirmed('ERASURE').pk}/{page}/"))
    assert reason in shown
    assert "<button>" not in shown.partition("<main")[2]


PAGES = "identity identity/ask identity/answer identity/none mandate objection restrict lift"


@pytest.mark.parametrize("page", [*PAGES.split(), "accept", "refuse"])
def test_nothing_is_asked_about_a_closed_case(officer, page):
    case = confirmed("OBJECTION")
    ErasureRequest.objects.filter(pk=case.pk).update(status="SEALED", outcome="REFUSED")
    assert "The case is closed." in text_of(officer.get(f"/cases/{case.pk}/{page}/"))


def test_a_decision_that_waits_for_somebody_else_is_not_proposed_once_more(officer):
    case = confirmed("RESTRICTION")
    assert "On which ground" in text_of(officer.get(f"/cases/{case.pk}/restrict/"))
    officer.post(f"/cases/{case.pk}/restrict/", {"ground": "ART_18_1_C"})
    assert "proposed already" in text_of(officer.get(f"/cases/{case.pk}/restrict/"))


def test_a_restriction_is_accepted_on_its_own_page(officer):
    case = confirmed("RESTRICTION")
    officer.post(f"/cases/{case.pk}/restrict/", {"ground": "ART_18_1_C"})
    approved(case.decisions.get())
    case.refresh_from_db()
    assert (case.status, case.ground) == ("ACCEPTED", "ART_18_1_C")
