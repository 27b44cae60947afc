"""The clock of Art. 12(3), on dates worked out by hand from Regulation 1182/71."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from importlib.metadata import version

import holidays
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audits.core.deadline import Place, add_months, derive, next_working_day
from audits.core.deadline_words import sentences
from audits.core.regimes import EU

# Received, country, +1 raw, +1 due, +3 raw, +3 due, and what a count of 30 days would say.
VECTORS = [
    ("2026-01-31", "FR", "2026-02-28", "2026-03-02", "2026-04-30", "2026-04-30", "2026-03-02"),
    ("2024-01-31", "DE", "2024-02-29", "2024-02-29", "2024-04-30", "2024-04-30", "2024-03-01"),
    ("2026-03-31", "FR", "2026-04-30", "2026-04-30", "2026-06-30", "2026-06-30", "2026-04-30"),
    ("2026-04-01", "FR", "2026-05-01", "2026-05-04", "2026-07-01", "2026-07-01", "2026-05-01"),
    ("2026-12-31", "FR", "2027-01-31", "2027-02-01", "2027-03-31", "2027-03-31", "2027-01-30"),
    ("2025-11-25", "DE", "2025-12-25", "2025-12-29", "2026-02-25", "2026-02-25", "2025-12-25"),
    ("2026-03-06", "IE", "2026-04-06", "2026-04-07", "2026-06-06", "2026-06-08", "2026-04-05"),
    ("2028-01-31", "FR", "2028-02-29", "2028-02-29", "2028-04-30", "2028-05-02", "2028-03-01"),
]
LATE_BY_THIRTY_DAYS = {"2024-01-31", "2028-01-31"}
PARIS = Place(zone="Europe/Paris", country="FR")
COUNTRIES = ["FR", "DE", "IE", "PL", "SE", "GR"]
instants = st.builds(
    lambda day, at: datetime.combine(day, at, UTC),
    st.dates(date(2015, 1, 1), date(2040, 1, 1)),
    st.times(),
)


def derived(received, country="FR", region="", zone="UTC", own_days=()):
    place = Place(zone=zone, country=country, region=region, own_days=frozenset(own_days))
    return derive(datetime.fromisoformat(f"{received}+00:00"), place=place, regime=EU)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector[0])
def test_L8_a_month_is_counted_as_regulation_1182_71_says(vector):
    received, country, raw, due, extended_raw, extended, thirty = vector
    found = derived(f"{received}T12:00:00", country)
    assert found.extended is not None
    said = (found.first.raw, found.due_on, found.extended.raw, found.extended.due_on)
    assert [day.isoformat() for day in said] == [raw, due, extended_raw, extended]
    wrong = found.received_on + timedelta(days=30)
    assert wrong.isoformat() == thirty
    assert (wrong > found.due_on) == (received in LATE_BY_THIRTY_DAYS)


@pytest.mark.parametrize(
    ("received", "due", "extended"),
    [
        ("2026-03-05", "2026-04-07", "2026-06-05"),  # 5 April is Easter Sunday
        ("2026-08-31", "2026-09-30", "2026-11-30"),
        ("2025-02-28", "2025-03-28", "2025-05-28"),  # not the last day, but the same number
        ("2025-11-30", "2025-12-30", "2026-03-02"),  # from 30 November, not from 30 December
        ("2023-11-30", "2024-01-02", "2024-02-29"),
    ],
)
def test_the_examples_of_the_guidelines_and_the_edges_of_months(received, due, extended):
    found = derived(f"{received}T09:00:00")
    assert found.extended is not None
    assert (found.due_on.isoformat(), found.extended.due_on.isoformat()) == (due, extended)


def test_L9_three_months_from_receipt_are_not_one_and_then_two():
    found = derived("2026-01-31T12:00:00")
    assert found.extended is not None
    assert found.extended.raw == date(2026, 4, 30)
    assert add_months(found.first.raw, 2) == date(2026, 4, 28)
    assert add_months(found.due_on, 2) == date(2026, 5, 2)


@pytest.mark.parametrize(
    ("instant", "zone", "day"),
    [
        ("2026-01-31T23:30:00", "Europe/Paris", "2026-02-01"),
        ("2026-01-31T23:30:00", "UTC", "2026-01-31"),
        ("2026-03-28T22:59:59", "Europe/Paris", "2026-03-28"),
        ("2026-03-28T23:00:00", "Europe/Paris", "2026-03-29"),  # the hour is lost on this day
        ("2026-03-29T22:00:00", "Europe/Paris", "2026-03-30"),  # and from it on the day is earlier
        ("2026-10-25T22:30:00", "Europe/Paris", "2026-10-25"),  # the day has twenty-five hours
        ("2026-10-25T23:00:00", "Europe/Paris", "2026-10-26"),
        ("2026-01-01T02:00:00", "America/Los_Angeles", "2025-12-31"),
    ],
)
def test_the_local_date_of_receipt_counts(instant, zone, day):
    found = derived(instant, zone=zone)
    assert found.received_on.isoformat() == day
    assert found.received_at.isoformat() == f"{instant}+00:00"


def test_the_night_before_a_month_ends_moves_the_whole_clock():
    assert derived("2026-01-31T23:30:00", zone="Europe/Paris").due_on == date(2026, 3, 2)
    assert derived("2026-01-31T23:30:00", zone="Europe/Paris").first.raw == date(2026, 3, 1)
    assert derived("2026-01-31T23:30:00", zone="UTC").first.raw == date(2026, 2, 28)


def test_public_holidays_are_those_of_the_region():
    """Corpus Christi 2026, 4 June, is a holiday in Bavaria and not in Berlin."""
    assert derived("2026-05-04T12:00:00", "DE", "BE").due_on == date(2026, 6, 4)
    bavaria = derived("2026-05-04T12:00:00", "DE", "BY")
    assert (bavaria.due_on, bavaria.calendar) == (date(2026, 6, 5), "DE_BY")


def test_a_day_of_the_controllers_own_counts_as_a_holiday():
    found = derived("2026-03-15T12:00:00", own_days=[date(2026, 4, 15)])
    assert (found.first.raw, found.due_on) == (date(2026, 4, 15), date(2026, 4, 16))
    assert found.first.skipped == ((date(2026, 4, 15), "a day that the controller set"),)


def test_a_derivation_says_which_days_it_moved_over_and_whose_calendar_that_was():
    found = derived("2026-04-01T12:00:00")
    assert found.first.skipped == (
        (date(2026, 5, 1), "Labor Day"),
        (date(2026, 5, 2), "a Saturday"),
        (date(2026, 5, 3), "a Sunday"),
    )
    assert found.calendar_version == f"holidays {version('holidays')}"
    assert found.first.raw == date(2026, 5, 1)
    said = " ".join(sentences(found))
    assert "due one month after the day of receipt (GDPR (EU)), on Friday 1 May 2026." in said
    assert "moved to the next working day, Monday 4 May 2026: 1 May is Labor Day, 2 May" in said
    assert (
        "Received on 1 April 2026 at 12:00 UTC, which was Wednesday 1 April 2026 in UTC." in said
    )


def test_a_month_that_is_too_short_is_said_to_be():
    said = " ".join(sentences(derived("2024-01-31T12:00:00", "DE")))
    assert "29 February 2024, the last day of a month without a day 31." in said


@settings(deadline=None, max_examples=120)
@given(instants, st.sampled_from(COUNTRIES))
def test_no_answer_is_due_before_its_limit_or_on_a_free_day(instant, country):
    found = derive(instant, place=Place(zone="Europe/Paris", country=country), regime=EU)
    assert found.extended is not None
    for limit in (found.first, found.extended):
        free = holidays.country_holidays(country, years=[limit.due_on.year])
        assert limit.raw <= limit.due_on <= limit.raw + timedelta(days=10)
        assert limit.due_on.weekday() < 5
        assert limit.due_on not in free
        assert len(limit.skipped) == (limit.due_on - limit.raw).days
    assert found.received_on < found.first.raw <= found.due_on < found.extended.due_on


@settings(deadline=None, max_examples=100)
@given(instants)
def test_L9_months_from_receipt_end_no_earlier_than_months_upon_months(instant):
    """A second clamp can only lose days: that is why an extension is counted from receipt."""
    found = derive(instant, place=PARIS, regime=EU)
    assert found.extended is not None
    assert found.extended.raw >= add_months(found.first.raw, 2)


@settings(deadline=None, max_examples=100)
@given(instants, st.timedeltas(timedelta(0), timedelta(days=40)))
def test_who_writes_later_is_never_answered_earlier(instant, later):
    first, second = (derive(one, place=PARIS, regime=EU) for one in (instant, instant + later))
    assert first.due_on <= second.due_on


@settings(deadline=None, max_examples=200)
@given(st.dates(date(1990, 1, 1), date(2090, 1, 1)), st.integers(0, 40))
def test_months_never_overflow_and_keep_the_day_when_they_can(day, months):
    later = add_months(day, months)
    assert (later.year - day.year) * 12 + later.month - day.month == months
    assert later.day == day.day or (later.day < day.day and add_one(later).day == 1)


@settings(deadline=None, max_examples=100)
@given(st.dates(), st.sets(st.dates(), max_size=3))
def test_a_working_day_is_the_first_that_is_free_of_holidays(day, free):
    if day > date(9999, 1, 1):
        return
    working = next_working_day(day, free)
    assert working.weekday() < 5
    assert working not in free


def add_one(day: date) -> date:
    return date.fromordinal(day.toordinal() + 1)
