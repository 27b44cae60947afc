"""Serving processes say here how often each caller asked, and learn who has had enough."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from django.conf import settings
from django.utils import timezone
from ninja import Field, Router, Schema
from ninja.errors import HttpError

from audits.queries.query_counts import caller_key
from audits.queries.serving import FOLLOWS, ReaderNotGiven, check_reader
from audits.services.query_counts import DayRefused, NotOfModel, Report, ReportChanged, add_report
from lineage.api.auth import Scope, key_of
from lineage.api.conventions import HARMLESS, writes

if TYPE_CHECKING:
    from django.http import HttpRequest

# What is counted here may keep a caller from asking: it is taken from own servers alone.
router = Router(auth=Scope(FOLLOWS), tags=["serving"])

ERRORS: dict[type[Exception], int] = {
    ReaderNotGiven: 403,
    ReportChanged: 409,
    DayRefused: 422,
    NotOfModel: 422,
}
MOST_CALLERS, MOST_ANSWERS, MOST_VERSIONS = 1000, 1_000_000_000, 100


class CountIn(Schema):
    """Answers that a caller had, by the keyed digest of who that is."""

    # Not a name of a field: what is wrong with those is told, and this may be somebody's name.
    caller: str = Field(pattern="^[0-9a-f]{32}$")
    answers: int = Field(ge=1, le=MOST_ANSWERS)


class ServedIn(Schema):
    """Answers that a version gave."""

    version: UUID
    answers: int = Field(ge=1, le=MOST_ANSWERS)


class CountingOut(Schema):
    """The key, in hex, by which the callers of a model are digested."""

    model: str
    key: str


class ReportIn(Schema):
    """What one process counted of one day (UTC) since its last report; callers are there once.

    ``served``: of which versions the answers were, each once; older clients leave it out.
    """

    report: UUID
    model: str = Field(min_length=1, max_length=200)
    day: datetime.date
    answers: list[CountIn] = Field(max_length=MOST_CALLERS)
    served: list[ServedIn] = Field(default_factory=list, max_length=MOST_VERSIONS)


class TotalsOut(Schema):
    """How many answers these callers had that day, of all processes and versions together.

    ``limit`` is how many each may have; 0 is for as many as they like.
    """

    limit: int
    totals: dict[str, int]


@router.get("/models/{path:name}/counting", response=CountingOut, operation_id="how_to_count")
def counting(request: HttpRequest, name: str) -> CountingOut:
    """Return how the callers of a model are counted, to a key that was given a version of it."""
    check_reader(key_of(request).name, name)
    return CountingOut(model=name, key=caller_key(name))


@router.post(
    "/queries",
    response=TotalsOut,
    operation_id="report_queries",
    openapi_extra=writes(HARMLESS),
)
def report_queries(request: HttpRequest, body: ReportIn) -> TotalsOut:
    """Add up answers that callers of own servers had; the same report again changes nothing."""
    if len({one.caller for one in body.answers}) < len(body.answers):
        raise HttpError(422, "answers has a caller twice; add up the answers of each.")
    if len({one.version for one in body.served}) < len(body.served):
        raise HttpError(422, "served has a version twice; add up the answers of each.")
    report = Report(
        id=body.report,
        reader=key_of(request).name,
        model_name=body.model,
        day=body.day,
        answers={one.caller: one.answers for one in body.answers},
        served={one.version: one.answers for one in body.served},
    )
    totals = add_report(report=report, now=timezone.now())
    return TotalsOut(limit=settings.EXPUNGE_QUERIES_PER_DAY, totals=totals)
