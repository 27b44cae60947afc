"""The clock of Art. 12(3), on dates worked out by hand from the regulation."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audits.core.deadline import add_months, deadline, next_working_day

CASES = [
    ("2026-01-31", "FR", "2026-02-28", "2026-03-02", "2026-04-30"),
    ("2024-01-31", "DE", "2024-02-29", "2024-02-29", "2024-04-30"),
    ("2026-03-31", "FR", "2026-04-30", "2026-04-30", "2026-06-30"),
    ("2026-04-01", "FR", "2026-05-01", "2026-05-04", "2026-07-01"),
    ("2026-12-31", "FR", "2027-01-31", "2027-02-01", "2027-03-31"),
    ("2025-11-25", "DE", "2025-12-25", "2025-12-29", "2026-02-25"),
    ("2026-03-06", "IE", "2026-04-06", "2026-04-07", "2026-06-08"),
    ("2028-01-31", "FR", "2028-02-29", "2028-02-29", "2028-05-02"),
]


@pytest.mark.parametrize(("received", "country", "raw", "due", "extended"), CASES)
def test_it_counts_months_and_rolls_over_free_days(received, country, raw, due, extended):
    noon = datetime.fromisoformat(f"{received}T12:00:00+00:00")
    first = deadline(noon, zone="UTC", country=country)
    assert (first.raw.isoformat(), first.due_on.isoformat()) == (raw, due)
    assert deadline(noon, zone="UTC", country=country, months=3).due_on.isoformat() == extended


def test_the_local_date_of_receipt_counts():
    night = datetime(2026, 1, 31, 23, 30, tzinfo=UTC)
    assert deadline(night, zone="Europe/Paris", country="FR").received_on == date(2026, 2, 1)
    assert deadline(night, zone="UTC", country="FR").received_on == date(2026, 1, 31)


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
