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
    from collections.abc import Collection, Iterable, Sequence
    from datetime import datetime

WINDOW = timedelta(days=30)
DAY = timedelta(days=1)
EXACT = 2  # trainings of an exact result: it is executed a second time to compare bits
TIMES = 2.0  # what is kept free for a second of predicted work
MOST_SECONDS = 10 * 365 * 86_400.0  # more is never waited for, and a date has an end


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


@dataclass(frozen=True, kw_only=True)
class Behind:
    """A case without a plan that may have to wait until the cases before it are through.

    ``versions``: that learned from its records; ``seconds``: that its own work takes.
    """

    versions: frozenset[str]
    due: datetime
    seconds: float


def seconds_ahead(training: float, *, models: int) -> float:
    """Return the seconds that work on a version may take from its beginning, whatever comes of it.

    Args:
        training: seconds of one training of the version.
        models: that an audit trains at all its looks; 0 where the result is exact by construction,
            and only trained twice. Otherwise the audit may end in an exact retraining.
    """
    return training * (EXACT + (1 + models if models else 0))


def must_be_through(
    due: datetime, versions: Collection[str], behind: Sequence[Behind]
) -> datetime:
    """Return when work must be over for no case to be late: its own, and all behind it.

    Behind it is who shares a version with it, or with somebody behind it. They come one after the
    other, each when all before it are through.

    Args:
        due: when the first of the cases must be through that the work serves.
        versions: that these cases change.
        behind: all that may be behind, in the order in which they come.
    """
    reached, grown = set(versions), True
    while grown:
        size = len(reached)
        for one in behind:
            if not reached.isdisjoint(one.versions):
                reached |= one.versions
        grown = len(reached) > size
    seconds = 0.0
    for one in behind:
        if not reached.isdisjoint(one.versions):
            seconds += one.seconds
            due = min(due, before(one.due, seconds))
    return due


def before(due: datetime, seconds: float) -> datetime:
    """Return when work must begin that has to be over at a time; twice what it takes is kept."""
    return due - timedelta(seconds=min(TIMES * seconds, MOST_SECONDS))


def cannot_wait(limits: Limits, *, due: datetime, seconds: float, now: datetime) -> bool:
    """Return whether the work must begin now to be over in time.

    Args:
        limits: of the owner.
        due: when it must be over.
        seconds: what it takes, as predicted.
        now: when.
    """
    return now + timedelta(days=limits.lead_days) >= before(due, seconds)


def busy_seconds(spans: Iterable[tuple[datetime, datetime]], now: datetime) -> float:
    """Return the seconds of some spans that lie within the window before ``now``."""
    since = now - WINDOW
    parts = ((min(end, now) - max(start, since)).total_seconds() for start, end in spans)
    return sum(part for part in parts if part > 0)
