"""How often callers of a served model asked, over all of its versions."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from hmac import new as hmac
from typing import TYPE_CHECKING

from django.conf import settings
from django.db.models import Count, Max, Sum

from audits.models import QueryCount, VersionQueries
from lineage import keys

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, datetime

    from lineage.models import ModelVersion

_CALLERS = "callers"


@dataclass(frozen=True, kw_only=True)
class DayOfQueries:
    """A day of a model: how many asked, how many answers they had, and whoever had most."""

    day: date
    callers: int
    answers: int
    most: int


@dataclass(frozen=True, kw_only=True)
class DayOfVersion:
    """A day on which a version answered: how often, and what its model was asked in all."""

    day: date
    answers: int
    of_model: DayOfQueries | None


@dataclass(frozen=True, kw_only=True)
class VersionUse:
    """What is counted of a version: its last days, the newest first, and when that was told.

    ``limit``: answers of all versions that a caller may have in a day; 0 for no limit.
    """

    days: list[DayOfVersion]
    reported_at: datetime | None
    limit: int


def use_of(version: ModelVersion, *, most: int = 7) -> VersionUse:
    """Return how often a version answered on at most so many days."""
    rows = list(VersionQueries.objects.filter(version=version).order_by("-day")[:most])
    of_model = {}
    if rows:
        first = rows[-1].day
        of_model = {one.day: one for one in days_of(version.model_name, since=first)}
    return VersionUse(
        days=[
            DayOfVersion(day=one.day, answers=one.answers, of_model=of_model.get(one.day))
            for one in rows
        ],
        reported_at=max((one.reported_at for one in rows), default=None),
        limit=int(settings.EXPUNGE_QUERIES_PER_DAY),
    )


def days_kept() -> int:
    """Return for how many days counts are kept."""
    return int(settings.EXPUNGE_QUERY_DAYS)


def caller_key(model_name: str) -> str:
    """Return the key, in hex, by which the callers of a model are digested.

    It is derived, and what it is derived from never leaves the key store; two models have two,
    so that nobody is found again from one to another.
    """
    root = keys.get_or_create(_CALLERS)
    return hmac(root, f"callers:{model_name}".encode(), sha256).hexdigest()


def totals(model_name: str, day: date, callers: Iterable[str]) -> dict[str, int]:
    """Return how many answers each of some callers had on a day."""
    found = QueryCount.objects.filter(model_name=model_name, day=day, caller__in=list(callers))
    return dict(found.values_list("caller", "answers"))


def days_of(model_name: str, *, since: date | None = None) -> list[DayOfQueries]:
    """Return the days of a model on which somebody asked, newest first."""
    counted = QueryCount.objects.filter(model_name=model_name)
    days = (
        (counted.filter(day__gte=since) if since else counted)
        .values("day")
        .annotate(callers=Count("caller"), total=Sum("answers"), most=Max("answers"))
        .order_by("-day")
    )
    return [
        DayOfQueries(
            day=row["day"], callers=row["callers"], answers=row["total"], most=row["most"]
        )
        for row in days
    ]
