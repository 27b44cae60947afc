"""When an answer is due: a regime's periods, counted from the local day of receipt.

Months are counted as Regulation (EEC, Euratom) 1182/71 Art. 3 says: the day of receipt does not
count; a period ends on the day of the same number, or on the last day of a month that has none; an
end on a Saturday, a Sunday or a public holiday of the controller's country and region moves to the
next working day. A derivation is made once, at receipt, and stored.
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from importlib.metadata import version
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import holidays

from audits.core.regimes import Period, Unit

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

    from audits.core.regimes import Regime

VERSION = f"holidays {version('holidays')}"
OWN_DAY = "a day that the controller set"
_SATURDAY = 5


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where the controller is: its zone, and whose public holidays count.

    ``own_days`` are free days that the calendar of the country and region does not know.
    """

    zone: str
    country: str
    region: str = ""
    own_days: frozenset[date] = frozenset()

    @property
    def calendar(self) -> str:
        """The name of the calendar, as a code: the country, and its region if one is set."""
        return re.sub("[^A-Z0-9]", "_", f"{self.country}_{self.region}".strip("_").upper())

    def local_date(self, instant: datetime) -> date:
        """Return the day that an aware instant lies in, where the controller is."""
        return instant.astimezone(ZoneInfo(self.zone)).date()

    def free_days(self, year: int) -> Mapping[date, str]:
        """Return the public holidays of a year and of the next one, by name."""
        found = holidays.country_holidays(
            self.country, subdiv=self.region or None, years=[year, year + 1], language="en_US"
        )
        return {**dict(found), **{day: OWN_DAY for day in self.own_days if day not in found}}


@dataclass(frozen=True, kw_only=True)
class Limit:
    """The end of a period as it was counted, and as it is due.

    ``skipped`` holds the free days that the end moved over, each with the reason.
    """

    raw: date
    due_on: date
    skipped: tuple[tuple[date, str], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Derivation:
    """A due date with all that it was derived from."""

    received_at: datetime
    received_on: date
    zone: str
    regime: str
    rule: str
    calendar: str
    calendar_version: str
    first: Limit
    extended: Limit | None
    acknowledge_on: date | None = None

    @property
    def due_on(self) -> date:
        """The day on which the answer is due."""
        return self.first.due_on


def derive(received_at: datetime, *, place: Place, regime: Regime) -> Derivation:
    """Count a regime's limits from an instant of receipt.

    Args:
        received_at: an aware instant.
        place: where the controller is.
        regime: whose limits.
    """
    received_on = place.local_date(received_at)
    first, extended = limits(received_on, place=place, regime=regime)
    confirm = regime.acknowledge
    return Derivation(
        received_at=received_at.astimezone(UTC),
        received_on=received_on,
        zone=place.zone,
        regime=regime.code,
        rule=regime.rule,
        calendar=place.calendar,
        calendar_version=VERSION,
        first=first,
        extended=extended,
        acknowledge_on=working_days_after(received_on, confirm, place) if confirm else None,
    )


def limits(
    start: date, *, place: Place, regime: Regime, later: int = 0
) -> tuple[Limit, Limit | None]:
    """Return a regime's first and extended limit, put off by ``later`` days of pauses.

    Both are counted from ``start``: one month and then two more would end on another day.
    """
    first = limit(start, regime.first, place=place, rolls=regime.rolls, later=later)
    if regime.extended is None:
        return first, None
    return first, limit(start, regime.extended, place=place, rolls=regime.rolls, later=later)


def limit(start: date, period: Period, *, place: Place, rolls: bool, later: int = 0) -> Limit:
    """Return the end of a period from ``start``, put off by ``later`` days of pauses."""
    raw = end_of(start, period) + timedelta(days=later)
    return rolled(raw, place) if rolls else Limit(raw=raw, due_on=raw)


def end_of(start: date, period: Period) -> date:
    """Return the last day of a period that begins after ``start``."""
    if period.unit is Unit.MONTHS:
        return add_months(start, period.count)
    return start + timedelta(days=period.count)


def rolled(raw: date, place: Place) -> Limit:
    """Return a limit that moved over the free days at its end."""
    free = place.free_days(raw.year)
    due_on = next_working_day(raw, free)
    passed = [raw + timedelta(days=ahead) for ahead in range((due_on - raw).days)]
    skipped = tuple((day, free.get(day) or f"a {day:%A}") for day in passed)
    return Limit(raw=raw, due_on=due_on, skipped=skipped)


def working_days_after(start: date, count: int, place: Place) -> date:
    """Return the ``count``-th working day after ``start``."""
    free = place.free_days(start.year)
    for _ in range(count):
        start = next_working_day(start + timedelta(days=1), free)
    return start


def add_months(day: date, months: int) -> date:
    """Return the day of the same number ``months`` later, or that month's last day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def next_working_day(day: date, free: Container[date]) -> date:
    """Return ``day``, or the first day after it that is neither weekend nor in ``free``."""
    while day.weekday() >= _SATURDAY or day in free:
        day += timedelta(days=1)
    return day
