"""What an owner of models may have computed, and what was: numbers alone, no clock, no rows.

A budget never refuses an erasure: what is dear waits until there is room, and where the time to
answer runs out it is done regardless.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

WINDOW = timedelta(days=30)
DAY = timedelta(days=1)


class Short(StrEnum):
    """Which limit is reached."""

    SECONDS = "SECONDS"
    RUNS = "RUNS"


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Seconds in the window, runs in a day; None is no limit.

    ``lead_days``: so long before a due date the work begins whatever was spent.
    """

    seconds: float | None = None
    runs: int | None = None
    lead_days: int = 7


@dataclass(frozen=True, kw_only=True)
class Spent:
    """Seconds that workers were busy within the window, and runs begun within the last day."""

    seconds: float = 0.0
    runs: int = 0


def short_of(limits: Limits, spent: Spent) -> Short | None:
    """Return which limit is reached; None while there is room."""
    if limits.seconds is not None and spent.seconds >= limits.seconds:
        return Short.SECONDS
    if limits.runs is not None and spent.runs >= limits.runs:
        return Short.RUNS
    return None


def cannot_wait(limits: Limits, *, due: datetime, seconds: float, now: datetime) -> bool:
    """Return whether the work must begin now to be over in time.

    Args:
        limits: of the owner.
        due: when the case must be through.
        seconds: what the work takes, as predicted; twice that is kept free.
        now: when.
    """
    return now + timedelta(days=limits.lead_days, seconds=2 * seconds) >= due


def busy_seconds(spans: Iterable[tuple[datetime, datetime]], now: datetime) -> float:
    """Return the seconds of some spans that lie within the window before ``now``."""
    since = now - WINDOW
    parts = ((min(end, now) - max(start, since)).total_seconds() for start, end in spans)
    return sum(part for part in parts if part > 0)
