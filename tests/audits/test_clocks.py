"""A due date is stored with its derivation, and moves only by a pause or an extension."""

from __future__ import annotations

import importlib
from datetime import date

import pytest
from django.apps import apps
from django.core.management import call_command

from audits import workflow
from audits.execution import report_sections
from audits.models import CaseClock, ErasureRequest
from audits.queries import clocks
from audits.queries.answers_site import site_answers
from audits.queries.case_file import findings
from audits.services import asking, pauses
from audits.services.clocks import settle
from audits.services.pauses import PauseRefused
from audits.services.rights import NotAllowed
from tests.audits import world as worlds
from tests.audits.clock_cases import RECEIVED, asked, at, member, waiting
from tests.audits.world import logged

pytestmark = pytest.mark.django_db
DUE = date(2026, 3, 2)


@pytest.fixture
def case(signing_key):
    return waiting()


@pytest.fixture
def officer():
    return member()


@pytest.fixture
def allowed(settings):
    settings.EXPUNGE_IDENTITY_PAUSE = True


def due(case):
    case.refresh_from_db()
    return case.due_on


# --- the derivation ----------------------------------------------------------------------------


def test_L8_a_due_date_is_stored_with_its_derivation(case):
    clock = CaseClock.objects.get(request=case)
    assert (clock.received_at, clock.received_on, clock.zone) == (
        RECEIVED,
        date(2026, 1, 31),
        "Europe/Paris",
    )
    assert (clock.raw, clock.due_on, case.due_on) == (date(2026, 2, 28), DUE, DUE)
    assert clock.skipped == [["2026-02-28", "a Saturday"], ["2026-03-01", "a Sunday"]]
    assert (clock.extended_raw, clock.extended_due_on) == (date(2026, 4, 30), date(2026, 4, 30))
    assert clock.calendar_version.startswith("holidays 0.")


def test_F4_what_is_shown_and_exported_is_not_derived_again(case, settings):
    before = findings(case)["clock"]
    settings.EXPUNGE_COUNTRY, settings.EXPUNGE_REGIME = "US", "CALIFORNIA"
    settings.EXPUNGE_CLOCK_ZONE, settings.EXPUNGE_HOLIDAYS = "Asia/Tokyo", ["2026-03-02"]
    assert findings(case)["clock"] == before
    assert (before["received_on"], before["counted"], before["due"]) == (
        "2026-01-31",
        "2026-02-28",
        "2026-03-02",
    )


def test_the_record_names_the_regime_by_which_the_case_was_timed(case, settings):
    settings.EXPUNGE_REGIME, settings.EXPUNGE_COUNTRY = "CALIFORNIA", "US"
    case.outcome = "ERASED"
    assert site_answers(case, [], now=RECEIVED)["policy"]["regime"] == "EU"


def test_the_report_tells_how_the_date_came_about(case, officer, allowed):
    asked(case)
    pauses.begin_pause(case_id=case.pk, reason="IDENTITY", user=officer, now=at("02-03"))
    pauses.end_pause(case_id=case.pk, user=officer, now=at("02-13"))
    rows = dict(report_sections.request({**findings(case), "events": []}))
    assert "moved to the next working day, Monday 2 March 2026" in rows["How it was counted"]
    assert rows["Due without and with pauses"] == "2026-03-02, 2026-03-10"


def test_F6_another_regime_counts_by_its_own_limits(settings, signing_key):
    settings.EXPUNGE_REGIME, settings.EXPUNGE_COUNTRY = "BRAZIL", "BR"
    settings.EXPUNGE_OWN_TARGET_DAYS = 20
    case = waiting()
    assert (case.due_on, case.due_rule) == (date(2026, 2, 20), "LGPD_OWN_TARGET")


def test_the_operators_own_case_has_no_clock(case):
    ErasureRequest.objects.filter(pk=case.pk).update(due_on=None)
    CaseClock.objects.all().delete()
    assert clocks.clock_of(case) is None
    assert "clock" not in findings(case)


def test_a_case_from_before_the_clock_keeps_its_date_and_gets_a_derivation(case):
    CaseClock.objects.all().delete()
    odd = waiting("bert@example.org")
    CaseClock.objects.filter(request=odd).delete()
    ErasureRequest.objects.filter(pk=odd.pk).update(due_on=date(2026, 2, 20))
    migration = importlib.import_module("audits.migrations.0017_legal_clock")
    migration.give_clocks(apps, None)
    clock = CaseClock.objects.get(request=case)
    assert (clock.due_on, clock.raw, clock.backfilled) == (DUE, date(2026, 2, 28), True)
    assert len(clock.skipped) == 2
    kept = CaseClock.objects.get(request=odd)
    assert (kept.due_on, kept.raw, kept.skipped) == (date(2026, 2, 20), date(2026, 2, 20), [])
    assert due(odd) == date(2026, 2, 20)


# --- pauses -----------------------------------------------------------------------------------


def test_L13_the_identity_pause_is_off_by_default_and_refused_with_a_sentence(case, officer):
    with pytest.raises(PauseRefused, match=r"EXPUNGE_IDENTITY_PAUSE is off, and the time runs"):
        pauses.begin_pause(case_id=case.pk, reason="IDENTITY", user=officer, now=at("02-03"))
    assert not case.clock_pauses.exists()


def test_a_pause_that_a_stored_value_forbids_is_refused_by_the_name_of_its_page(
    case, officer, allowed
):
    said = {"IDENTITY_PAUSE": "no"}
    board = [worlds.member(name, "Administrator") for name in ("first", "second")]
    change = workflow.propose_policy(said=said, reason="the board said so", user=board[0])
    workflow.approve_policy(number=change.number, user=board[1])
    with pytest.raises(PauseRefused, match="IDENTITY_PAUSE on the page Policy is off, and the"):
        pauses.begin_pause(case_id=case.pk, reason="IDENTITY", user=officer, now=at("02-03"))


def test_L13_a_pause_is_an_interval_with_a_reason_and_both_dates_are_kept(case, officer, allowed):
    asked(case)
    begin = {"case_id": case.pk, "reason": "IDENTITY", "user": officer}
    assert [pauses.begin_pause(**begin, now=at("02-03")) for _ in range(2)] == [True, False]
    assert due(case) == DUE  # until it ends
    assert [pauses.end_pause(case_id=case.pk, now=at("02-13")) for _ in range(2)] == [True, False]
    assert due(case) == date(2026, 3, 10)  # ten days after 28 February
    clock = CaseClock.objects.get(request=case)
    assert (clock.due_on, clock.paused_due_on) == (DUE, date(2026, 3, 10))
    assert clock.paused_extended_due_on == date(2026, 5, 11)  # 10 May is a Sunday
    assert logged(case, "clock_paused") == [{"reason": "IDENTITY"}]
    assert logged(case, "clock_resumed") == [
        {"reason": "IDENTITY", "days": 10, "due_on": "2026-03-10"}
    ]
    told = findings(case)["clock"]
    assert (told["due"], told["due_with_pauses"]) == ("2026-03-02", "2026-03-10")
    assert [one["reason"] for one in told["pauses"]] == ["IDENTITY"]


def test_a_clock_pauses_for_no_question_that_was_not_asked(case, officer, allowed):
    with pytest.raises(PauseRefused, match="only while a question about who they are is open"):
        pauses.begin_pause(case_id=case.pk, reason="IDENTITY", user=officer, now=at("02-03"))


def test_the_persons_answer_ends_the_pause(case, officer, allowed):
    asked(case)
    pauses.begin_pause(case_id=case.pk, reason="IDENTITY", user=officer, now=at("02-03"))
    stated = [("EXTERNAL", "4711")]
    asking.receive_information(case_id=case.pk, identifiers=stated, now=at("02-05"))
    assert not case.clock_pauses.filter(until=None).exists()
    assert due(case) == DUE  # two days after 28 February is a Monday, 2 March
    assert not pauses.end_pause(case_id=case.pk, user=officer, now=at("02-25"))
    assert logged(case, "clock_resumed") == [
        {"reason": "IDENTITY", "days": 2, "due_on": "2026-03-02"}
    ]


def test_another_calendar_moves_no_date_of_a_clock_that_has_not_stood_still_since(
    case, officer, allowed, settings
):
    asked(case)
    begin = {"case_id": case.pk, "reason": "IDENTITY", "user": officer}
    pauses.begin_pause(**begin, now=at("02-03"))
    pauses.end_pause(case_id=case.pk, now=at("02-13"))
    settings.EXPUNGE_HOLIDAYS = ["2026-03-10", "2026-03-12", "2026-05-11"]
    assert settle(case_id=case.pk) == due(case) == date(2026, 3, 10)
    clock = CaseClock.objects.get(request=case)
    assert clock.paused_extended_due_on == date(2026, 5, 11)
    pauses.begin_pause(**begin, now=at("02-16"))
    pauses.end_pause(case_id=case.pk, now=at("02-18"))
    assert due(case) == date(2026, 3, 13)  # two days more, and the free 12th


def test_only_who_handles_cases_pauses_a_clock(case, allowed):
    with pytest.raises(NotAllowed, match="You may not handle cases"):
        pauses.begin_pause(
            case_id=case.pk, reason="IDENTITY", user=member("Reviewer"), now=at("02-03")
        )


@pytest.mark.parametrize(
    ("change", "day", "sentence"),
    [
        ({"status": "SEALED"}, "02-03", "is sealed; its clock has stopped"),
        ({"status": "RECEIVED"}, "02-03", "was not confirmed by the person"),
        ({}, "03-03", "was due on 2 March 2026; a clock that has run out"),
    ],
)
def test_a_clock_that_does_not_run_does_not_pause(case, officer, allowed, change, day, sentence):
    ErasureRequest.objects.filter(pk=case.pk).update(**{"due_on": DUE, **change})
    with pytest.raises(PauseRefused, match=sentence):
        pauses.begin_pause(case_id=case.pk, reason="IDENTITY", user=officer, now=at(day))


def test_a_pause_that_the_law_does_not_know_is_refused_by_name(case, officer, allowed):
    with pytest.raises(PauseRefused, match=r"for 'FEE' under GDPR \(EU\); allowed are IDENTITY"):
        pauses.begin_pause(case_id=case.pk, reason="FEE", user=officer, now=at("02-03"))


def test_california_does_not_wait_for_verification(settings, signing_key, officer, allowed):
    settings.EXPUNGE_REGIME, settings.EXPUNGE_COUNTRY = "CALIFORNIA", "US"
    case = waiting()
    with pytest.raises(PauseRefused, match=r"under CCPA \(California\); it knows no pause"):
        pauses.begin_pause(case_id=case.pk, reason="IDENTITY", user=officer, now=at("02-03"))


def test_no_migration_is_missing():
    call_command("makemigrations", "audits", check=True, dry_run=True, verbosity=0)
