"""The statement over all audits, kept in this process for as long as nothing happened.

Thousands of questions are read for it, and none of them changes once its verdict is final. So what
a run was asked is kept as well, by a mark that differs after the run ended, was linked to a case
or got a plan or a verdict: where something happened, only the runs that it happened to are read.
"""

from __future__ import annotations

from dataclasses import replace
from threading import Lock
from typing import TYPE_CHECKING, Any

from django.db.models import Count, Max

from audits.models import AuditPlan, ErasureRequest, Verdict
from audits.queries.fleet import (
    as_shown,
    fleet_of,
    level_of_error,
    planned_within,
    received_within,
)
from audits.queries.questions import questions_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date
    from uuid import UUID

    from audits.queries.fleet import Fleet
    from audits.queries.questions import Question

    Marks = Mapping[UUID, Any]

MOST = 4  # periods
_kept: dict[tuple[date | None, date | None], tuple[Any, Fleet]] = {}
_asked: dict[UUID, tuple[Any, tuple[Question, ...]]] = {}  # of each run, by its mark
_keeping = Lock()  # threads answer side by side


def kept_fleet(*, since: date | None = None, until: date | None = None) -> Fleet:
    """Return what ``fleet`` does, read anew only where something happened since it was read."""
    marks, known = _marks(since, until), _kept.get((since, until))
    token = (level_of_error(), tuple(marks.items()))
    if known and known[0] == token:
        return replace(known[1], requests=received_within(since, until).count())
    found = fleet_of(_questions(marks, since, until), since=since, until=until)
    with _keeping:
        _kept.pop((since, until), None)
        while len(_kept) >= MOST:
            del _kept[next(iter(_kept))]
        _kept[since, until] = (token, found)
    return found


def forget() -> None:
    """Forget everything, as a new process does."""
    with _keeping:
        _kept.clear()
        _asked.clear()


def _questions(marks: Marks, since: date | None, until: date | None) -> tuple[Question, ...]:
    """Return the questions of the runs with these marks; what has another mark is read.

    Marks are read first. So what happens meanwhile is read with a mark that is too old, and is
    read once more the next time.
    """
    with _keeping:
        same = {pk: _asked[pk] for pk, mark in marks.items() if _asked.get(pk, ("",))[0] == mark}
    changed = marks.keys() - same.keys()
    runs = planned_within(since, until)
    if same:
        runs = runs.filter(pk__in=changed)
    fresh: dict[UUID, list[Question]] = {pk: [] for pk in changed}
    for one in questions_of(list(as_shown(runs))) if changed else ():
        fresh.setdefault(one.run.pk, []).append(one)
    found = {**same, **{pk: (marks.get(pk), tuple(some)) for pk, some in fresh.items()}}
    with _keeping:
        _asked.update(found)
    return tuple(one for pk in marks for one in found[pk][1])


def _marks(since: date | None, until: date | None) -> Marks:
    """Return for each run of a period what differs after something happened to it."""
    runs = dict(planned_within(since, until).values_list("pk", "status"))
    linked = ErasureRequest.runs.through.objects.order_by().values_list("unlearningrun_id")
    verdicts = Verdict.objects.order_by().values_list("run_id")
    links = {run: rest for run, *rest in linked.annotate(Count("pk"), Max("pk"))}
    drawn = dict(verdicts.annotate(Count("pk")))
    plans = dict(AuditPlan.objects.values_list("run_id", "certificate_id"))
    return {
        pk: (status, *links.get(pk, ()), drawn.get(pk), pk in plans, plans.get(pk))
        for pk, status in runs.items()
    }
