"""The list of people who must not be imported again: how long it is kept, and when it was needed.

It is pseudonymous personal data: keyed digests in the key store, apart from the database. What the
database keeps is how many people of the list an import met on a day, and nothing of who they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import F, Max, Sum

from lineage import keys
from lineage.models import SuppressionHit
from lineage.services.subjects import suppression_names

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

_PREFIX = "suppress:"


@dataclass(frozen=True, kw_only=True)
class SuppressionList:
    """What may be said of the list: how long it is, and how often imports met it."""

    count: int
    oldest: date | None
    hits: int
    last_hit: date | None


def suppress_people(digests: Iterable[str], *, now: datetime) -> None:
    """Add people to the list by the lookup digests of their identifiers, with the day."""
    keys.note(suppression_names(digests).values(), _said(now.date()))


def suppression_list() -> SuppressionList:
    """Return what may be said of the list."""
    days = list(map(_day, keys.noted(_PREFIX).values()))
    met = SuppressionHit.objects.aggregate(people=Sum("people"), last=Max("day"))
    return SuppressionList(
        count=len(days),
        oldest=min((day for day in days if day is not None), default=None),
        hits=met["people"] or 0,
        last_hit=met["last"],
    )


def expire_suppressions(*, now: datetime, days: int) -> int:
    """Delete the entries that are older than ``days``, 0 for never; return how many.

    Entries of an earlier release have no day; theirs is that of the first time they are seen here.
    """
    if not days:
        return 0
    entries = keys.noted(_PREFIX)
    undated = [name for name, value in entries.items() if _day(value) is None]
    keys.forget(undated)
    keys.note(undated, _said(now.date()))
    last = now.date() - timedelta(days=days)
    gone = [name for name, value in entries.items() if (day := _day(value)) and day < last]
    keys.forget(gone)
    return len(gone)


@transaction.atomic
def note_hits(*, people: int, day: date) -> None:
    """Count people of the list whom an import met and refused."""
    if people:
        SuppressionHit.objects.get_or_create(day=day)
        SuppressionHit.objects.filter(day=day).update(people=F("people") + people)


def _said(day: date) -> bytes:
    return day.isoformat().encode()


def _day(value: bytes) -> date | None:
    try:
        return date.fromisoformat(value.decode("ascii"))
    except ValueError:
        return None
