"""What the last twelve weeks were like: requests, time to answer, verdicts, seconds of methods."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from statistics import median
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from django.db.models import Count, Sum
from django.db.models.functions import TruncWeek

from audits.models import ErasureRequest, Verdict
from audits.queries import clocks
from audits.queries.answering import answers
from unlearning.models import UnlearningRun

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

WEEKS = 12
_DAY = 86_400.0


@dataclass(frozen=True, kw_only=True)
class Answered:
    """The answers that left in a week: how many, and the median of the days since receipt."""

    count: int = 0
    days: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Spent:
    """What a method took in the weeks shown: runs that ended, and their seconds of unlearning."""

    method: str
    runs: int
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Trends:
    """By Mondays, where the legal clock runs, the oldest first; ``spent`` is over all weeks."""

    weeks: tuple[date, ...]
    requests: Mapping[date, int]
    answered: Mapping[date, Answered]
    verdicts: Mapping[date, Mapping[str, int]]
    spent: tuple[Spent, ...]


def trends(now: datetime) -> Trends:
    """Return the trends up to the week of ``now``, in four queries.

    Requests are those of people; the operator's own cases are not among them. Verdicts are final.
    """
    zone = ZoneInfo(clocks.place().zone)
    today = clocks.today(now)
    monday = today - timedelta(days=today.weekday())
    weeks = tuple(monday - timedelta(weeks=back) for back in reversed(range(WEEKS)))
    since = datetime.combine(weeks[0], time(), zone)
    return Trends(
        weeks=weeks,
        requests=_requests(since, zone),
        answered=_answered(since, zone),
        verdicts=_verdicts(since, zone),
        spent=_spent(since),
    )


def _requests(since: datetime, zone: ZoneInfo) -> dict[date, int]:
    asked = ErasureRequest.objects.exclude(kind=ErasureRequest.Kind.OPERATOR)
    weekly = asked.filter(received_at__gte=since).values(
        week=TruncWeek("received_at", tzinfo=zone)
    )
    return {_day(row["week"], zone): row["n"] for row in weekly.annotate(n=Count("pk"))}


def _answered(since: datetime, zone: ZoneInfo) -> dict[date, Answered]:
    took: dict[date, list[float]] = defaultdict(list)
    sent = answers().filter(sent_at__gte=since).values_list("sent_at", "request__received_at")
    for left, received in sent.iterator():
        if left is None:
            continue
        day = left.astimezone(zone).date()
        took[day - timedelta(days=day.weekday())].append((left - received).total_seconds() / _DAY)
    return {week: Answered(count=len(days), days=median(days)) for week, days in took.items()}


def _verdicts(since: datetime, zone: ZoneInfo) -> dict[date, dict[str, int]]:
    final = Verdict.objects.filter(final=True, created_at__gte=since)
    weekly = final.values("outcome", week=TruncWeek("created_at", tzinfo=zone))
    found: dict[date, dict[str, int]] = defaultdict(dict)
    for row in weekly.annotate(n=Count("pk")).order_by("outcome"):
        found[_day(row["week"], zone)][row["outcome"]] = row["n"]
    return dict(found)


def _spent(since: datetime) -> tuple[Spent, ...]:
    ended = UnlearningRun.objects.filter(ended_at__gte=since).exclude(seconds=None)
    methods = ended.values("method").annotate(runs=Count("pk"), took=Sum("seconds"))
    return tuple(
        Spent(method=row["method"], runs=row["runs"], seconds=row["took"])
        for row in methods.order_by("-took", "method")
    )


def _day(week: datetime, zone: ZoneInfo) -> date:
    return week.astimezone(zone).date()
