"""How often callers of a served model asked, over all of its versions."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from hmac import new as hmac
from typing import TYPE_CHECKING

from django.conf import settings
from django.db.models import Count, Max, Sum

from audits.models import QueryCount
from lineage import keys

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

_CALLERS = "callers"


@dataclass(frozen=True, kw_only=True)
class DayOfQueries:
    """A day of a model: how many asked, how many answers they had, and whoever had most."""

    day: date
    callers: int
    answers: int
    most: int


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


def days_of(model_name: str) -> list[DayOfQueries]:
    """Return the days of a model on which somebody asked, newest first."""
    days = (
        QueryCount.objects.filter(model_name=model_name)
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
