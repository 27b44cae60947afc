"""When an answer is due: Regulation (EEC, Euratom) 1182/71 applied to GDPR Art. 12(3).

The day of receipt does not count; a period in months ends on the day of the same number, or
on the last day of a month that has none; an end on a Saturday, Sunday or public holiday of
the controller's country moves to the next working day.
"""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import holidays

if TYPE_CHECKING:
    from collections.abc import Container

RULE = "GDPR_ART_12_3"
_SATURDAY = 5


@dataclass(frozen=True, kw_only=True)
class Deadline:
    """A due date with its derivation."""

    received_on: date
    raw: date
    due_on: date
    rule: str
    calendar: str


def deadline(received_at: datetime, *, zone: str, country: str, months: int = 1) -> Deadline:
    """Return the end of a period of ``months`` from receipt in the controller's time zone.

    Args:
        received_at: an aware instant.
        zone: IANA name of the controller's time zone.
        country: ISO 3166 code of the controller's country, for its public holidays.
        months: 1 for the answer, 3 (never 1 + 2) for an extended one.
    """
    received_on = received_at.astimezone(ZoneInfo(zone)).date()
    raw = add_months(received_on, months)
    free = holidays.country_holidays(country, years=[raw.year, raw.year + 1])
    return Deadline(
        received_on=received_on,
        raw=raw,
        due_on=next_working_day(raw, free),
        rule=RULE,
        calendar=country,
    )


def add_months(day: date, months: int) -> date:
    """Return the day of the same number ``months`` later, or that month's last day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def next_working_day(day: date, free: Container[date]) -> date:
    """Return ``day``, or the first day after it that is neither weekend nor in ``free``."""
    while day.weekday() >= _SATURDAY or day in free:
        day += timedelta(days=1)
    return day
