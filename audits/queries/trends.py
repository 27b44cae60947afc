"""What the last twelve weeks were like: requests, time to answer, verdicts, seconds of methods."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from statistics import median
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django.db.models import Case, Count, F, FloatField, Sum, Value, When

from audits.models import ErasureRequest, Verdict
from audits.queries import clocks
from audits.queries.answering import answers
from unlearning.models import UnlearningRun

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from django.db.models import QuerySet

WEEKS = 12
REQUESTS, VERDICTS, RUNS = "REQUESTS", "VERDICTS", "RUNS"
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
    """Return the trends up to the week of ``now``, in two queries.

    Requests are those of people; the operator's own cases are not among them. Verdicts are final.
    """
    zone = ZoneInfo(clocks.place().zone)
    today = clocks.today(now)
    monday = today - timedelta(days=today.weekday())
    weeks = tuple(monday - timedelta(weeks=back) for back in reversed(range(WEEKS)))
    since = datetime.combine(weeks[0], time(), zone)
    requests: dict[date, int] = {}
    verdicts: dict[date, dict[str, int]] = defaultdict(dict)
    spent: dict[str, Spent] = {}
    for of, name, place, count, seconds in _weekly(weeks, zone):
        week = weeks[place]
        if of == REQUESTS:
            requests[week] = count
        elif of == VERDICTS:
            verdicts[week][name] = count
        else:
            before = spent.get(name) or Spent(method=name, runs=0, seconds=0.0)
            spent[name] = Spent(
                method=name, runs=before.runs + count, seconds=before.seconds + seconds
            )
    return Trends(
        weeks=weeks,
        requests=requests,
        answered=_answered(since, zone),
        verdicts={week: dict(sorted(drawn.items())) for week, drawn in verdicts.items()},
        spent=tuple(sorted(spent.values(), key=lambda one: (-one.seconds, one.method))),
    )


def _weekly(weeks: Sequence[date], zone: ZoneInfo) -> QuerySet[Any, Any]:
    """Return rows (of what, name, place of the week, how many, seconds), all in one question."""
    *begins, end = (
        datetime.combine(day, time(), zone) for day in (*weeks, weeks[-1] + timedelta(weeks=1))
    )
    asked = ErasureRequest.objects.exclude(kind=ErasureRequest.Kind.OPERATOR)
    ended = UnlearningRun.objects.exclude(seconds=None)
    final = Verdict.objects.filter(final=True)
    nothing = Value(0.0, output_field=FloatField())
    parts = (
        (REQUESTS, asked, "received_at", Value(""), nothing),
        (VERDICTS, final, "created_at", F("outcome"), nothing),
        (RUNS, ended, "ended_at", F("method"), Sum("seconds")),
    )
    first, *others = (
        rows.filter(**{f"{moment}__gte": begins[0], f"{moment}__lt": end})
        .order_by()
        .values(of=Value(of), name=name, week=_week(moment, begins))
        .annotate(n=Count("pk"), took=took)
        .values_list("of", "name", "week", "n", "took")
        for of, rows, moment, name, took in parts
    )
    return first.union(*others, all=True)


def _week(moment: str, begins: Sequence[datetime]) -> Case:
    """Return the week of a moment by comparing, as SQLite would ask Python for each row."""
    newest_first = reversed(list(enumerate(begins)))  # as most are of the last weeks
    return Case(*(When(**{f"{moment}__gte": begin}, then=place) for place, begin in newest_first))


def _answered(since: datetime, zone: ZoneInfo) -> dict[date, Answered]:
    took: dict[date, list[float]] = defaultdict(list)
    sent = answers().filter(sent_at__gte=since).values_list("sent_at", "request__received_at")
    for left, received in sent.iterator():
        if left is None:
            continue
        day = left.astimezone(zone).date()
        took[day - timedelta(days=day.weekday())].append((left - received).total_seconds() / _DAY)
    return {week: Answered(count=len(days), days=median(days)) for week, days in took.items()}
