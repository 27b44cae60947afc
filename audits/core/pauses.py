"""What pauses do to a due date. They are intervals of instants; what counts are local days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from audits.core.deadline import limits
from audits.core.regimes import Effect, PauseReason

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, datetime

    from audits.core.deadline import Limit, Place
    from audits.core.regimes import Regime


@dataclass(frozen=True, kw_only=True)
class Pause:
    """An interval in which the clock stood still; ``until`` is never before ``since``."""

    reason: PauseReason
    since: datetime
    until: datetime


@dataclass(frozen=True, kw_only=True)
class Paused:
    """The limits with every pause that has ended, and by how many days they were shifted."""

    first: Limit
    extended: Limit | None
    days: int


def with_pauses(
    received_on: date, pauses: Iterable[Pause], *, place: Place, regime: Regime
) -> Paused:
    """Return the limits of a case with its pauses.

    A pause that restarts the clock moves its start to the latest of the receipt and the ends of
    such pauses; any other one moves the limits by the days from the local date of its beginning to
    that of its end. Days that two pauses share, or that lie before the start, count once or not.
    """
    known = [(pause, regime.pauses[pause.reason]) for pause in pauses]
    ends = [place.local_date(pause.until) for pause, effect in known if effect is Effect.RESTARTS]
    start = max([received_on, *ends])
    stood: set[date] = set()
    for pause, effect in known:
        if effect is Effect.SHIFTS:
            stood.update(_days(place.local_date(pause.since), place.local_date(pause.until)))
    days = sum(day >= start for day in stood)
    first, extended = limits(start, place=place, regime=regime, later=days)
    return Paused(first=first, extended=extended, days=days)


def _days(since: date, until: date) -> Iterable[date]:
    return (since + timedelta(days=ahead) for ahead in range((until - since).days))
