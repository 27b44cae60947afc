"""The statement over all audits, kept in this process for as long as nothing happened.

Thousands of questions are read for it, and none of them changes once its verdict is final. What it
is kept by names the newest run and verdict and counts what they rest on, so that whatever is added
or judged is read at once.
"""

from __future__ import annotations

from dataclasses import replace
from threading import Lock
from typing import TYPE_CHECKING, Any

from django.db.models import Count

from audits.models import AuditPlan, Verdict
from audits.queries.fleet import fleet, level_of_error, received_within
from unlearning.models import UnlearningRun

if TYPE_CHECKING:
    from datetime import date

    from audits.queries.fleet import Fleet

MOST = 4  # periods
_kept: dict[tuple[date | None, date | None], tuple[Any, Fleet]] = {}
_keeping = Lock()  # threads answer side by side
R = UnlearningRun.Status


def kept_fleet(*, since: date | None = None, until: date | None = None) -> Fleet:
    """Return what ``fleet`` does, read anew only if something happened since it was read here."""
    token, known = _token(), _kept.get((since, until))
    if known and known[0] == token:
        return replace(known[1], requests=received_within(since, until).count())
    found = fleet(since=since, until=until)
    with _keeping:
        _kept.pop((since, until), None)
        while len(_kept) >= MOST:
            del _kept[next(iter(_kept))]
        _kept[since, until] = (token, found)
    return found


def forget() -> None:
    """Forget every statement, as a new process does."""
    with _keeping:
        _kept.clear()


def _token() -> tuple[Any, ...]:
    """Return what differs after a run was planned, linked or ended, or a verdict was drawn.

    Which run is in which state is read of those that did not succeed; of the others, how many.
    """
    newest = [
        rows.order_by("-created_at", "pk").values_list("pk", flat=True).first()
        for rows in (Verdict.objects, UnlearningRun.objects)
    ]
    states = UnlearningRun.objects.order_by("status").values_list("status")
    unsettled = UnlearningRun.objects.exclude(status__in=(R.CLEARED, R.REJECTED)).order_by("pk")
    return (
        level_of_error(),
        *newest,
        *unsettled.values_list("pk", "status"),
        *states.annotate(Count("pk"), Count("requests")),
        Verdict.objects.count(),
        AuditPlan.objects.count(),
    )
