"""Regimes are data: each law's limits, and what a pause does to them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audits.core.deadline import Place, derive
from audits.core.deadline_words import sentences
from audits.core.pauses import Pause, with_pauses
from audits.core.regimes import BRAZIL, CALIFORNIA, EU, REGIMES, UK, Effect, PauseReason
from audits.core.reminders import stage_of

PARIS = Place(zone="Europe/Paris", country="FR")
LONDON = Place(zone="Europe/London", country="GB", region="ENG")
SACRAMENTO = Place(zone="America/Los_Angeles", country="US", region="CA")
BRASILIA = Place(zone="America/Sao_Paulo", country="BR")
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
RECEIVED = date(2026, 3, 2)


def pause(reason, since, until):
    return Pause(
        reason=PauseReason(reason),
        since=NOON + timedelta(days=since),
        until=NOON + timedelta(days=until),
    )


def paused(*pauses: Pause, regime=EU, place=PARIS):
    found = with_pauses(RECEIVED, pauses, place=place, regime=regime)
    assert found.extended is not None
    return found.first.raw.isoformat(), found.extended.raw.isoformat()


def test_the_uk_counts_to_the_corresponding_date_and_rolls():
    found = derive(datetime(2026, 2, 3, 12, tzinfo=UTC), place=LONDON, regime=UK)
    assert found.extended is not None
    assert found.due_on == date(2026, 3, 3)
    assert found.extended.due_on == date(2026, 5, 5)  # 3 May is a Sunday, 4 May a bank holiday


def test_california_counts_calendar_days_and_does_not_roll():
    """45 days after 4 July 2026 is Tuesday 18 August, 90 is Friday 2 October; ten working days
    after Saturday 4 July are over on Friday 17 July."""
    found = derive(datetime(2026, 7, 4, 20, tzinfo=UTC), place=SACRAMENTO, regime=CALIFORNIA)
    assert found.extended is not None
    assert (found.due_on, found.extended.due_on) == (date(2026, 8, 18), date(2026, 10, 2))
    assert found.acknowledge_on == date(2026, 7, 17)
    saturday = derive(datetime(2026, 7, 8, 20, tzinfo=UTC), place=SACRAMENTO, regime=CALIFORNIA)
    assert saturday.due_on == saturday.first.raw == date(2026, 8, 22)


def test_brazil_has_the_controllers_own_target_and_says_so():
    found = derive(NOON, place=BRASILIA, regime=BRAZIL)
    assert (found.due_on, found.extended) == (date(2026, 3, 17), None)
    said = " ".join(sentences(found))
    assert "15 calendar days after the day of receipt (the controller's own target)" in said
    assert "gives no number of days" in said


@pytest.mark.parametrize("regime", REGIMES.values(), ids=lambda one: one.code)
def test_a_regime_names_its_source_and_extends_from_receipt(regime):
    assert regime.source
    assert regime.rule.replace("_", "").isalnum()
    if regime.extended:
        assert regime.extended.unit is regime.first.unit
        assert regime.extended.count > regime.first.count


def test_L13_a_suspension_moves_the_limit_by_its_days():
    assert paused() == ("2026-04-02", "2026-06-02")
    assert paused(pause("IDENTITY", 1, 11)) == ("2026-04-12", "2026-06-12")
    assert paused(pause("IDENTITY", 1, 11), pause("IDENTITY", 20, 25)) == (
        "2026-04-17",
        "2026-06-17",
    )


def test_days_that_two_pauses_share_count_once():
    both = paused(pause("IDENTITY", 1, 11), pause("IDENTITY", 6, 16))
    assert both == paused(pause("IDENTITY", 1, 16))


def test_a_pause_within_one_day_moves_nothing():
    assert paused(pause("IDENTITY", 1, 1.1)) == paused()


def test_in_the_uk_the_clock_starts_with_the_identity_and_the_fee_whichever_is_later():
    identity, fee = pause("IDENTITY", 0, 7), pause("FEE", 0, 9)
    assert paused(identity, regime=UK, place=LONDON) == ("2026-04-09", "2026-06-09")
    assert paused(identity, fee, regime=UK, place=LONDON) == ("2026-04-11", "2026-06-11")
    clarified = pause("CLARIFICATION", 12, 15)
    assert paused(fee, clarified, regime=UK, place=LONDON) == ("2026-04-14", "2026-06-14")
    early = pause("CLARIFICATION", 1, 4)  # before the clock has started
    assert paused(fee, early, regime=UK, place=LONDON) == ("2026-04-11", "2026-06-11")


def test_no_pause_is_known_to_california_however_long_verification_takes():
    assert CALIFORNIA.pauses == {}
    with pytest.raises(KeyError):
        with_pauses(RECEIVED, [pause("IDENTITY", 1, 9)], place=SACRAMENTO, regime=CALIFORNIA)


spans = st.tuples(st.integers(0, 60), st.integers(0, 40)).map(
    lambda span: pause("IDENTITY", span[0], span[0] + span[1])
)


@settings(deadline=None, max_examples=80)
@given(st.lists(spans, max_size=4))
def test_pauses_never_bring_an_answer_forward_nor_add_more_than_they_last(pauses):
    found = with_pauses(RECEIVED, pauses, place=PARIS, regime=EU)
    without = with_pauses(RECEIVED, [], place=PARIS, regime=EU)
    lasted = sum((one.until - one.since).days for one in pauses)
    assert found.first.raw - without.first.raw == timedelta(days=found.days)
    assert 0 <= found.days <= lasted
    assert found.first.due_on.weekday() < 5


def test_a_regime_that_shifts_is_told_from_one_that_restarts():
    restarting = replace(EU, pauses={PauseReason.IDENTITY: Effect.RESTARTS})
    one = pause("IDENTITY", 5, 7)
    assert paused(one) == ("2026-04-04", "2026-06-04")
    assert paused(one, regime=restarting) == ("2026-04-09", "2026-06-09")


@pytest.mark.parametrize(
    ("passed", "stage"),
    [
        (0, ""),
        (14, ""),
        (15, "P50"),
        (22, "P50"),
        (23, "P75"),
        (26, "P75"),
        (27, "P90"),
        (30, "P90"),
        (31, "OVERDUE"),
        (300, "OVERDUE"),
    ],
)
def test_L8_stages_lie_at_half_three_quarters_and_nine_tenths_of_thirty_days(passed, stage):
    due = RECEIVED + timedelta(days=30)
    assert stage_of(RECEIVED, due, RECEIVED + timedelta(days=passed)) == stage
