"""What the planner weighed for a run, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext

from audits.queries.page_words import duration, retold
from audits.views.wording import method_title
from unlearning.core.planning.ways import Way
from unlearning.services.runs import CARRIED_OUT_BY

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from unlearning.models import UnlearningRun

WAYS = {
    Way.DECREMENT: "Subtract from integer sums",
    Way.ROLLBACK: "Serve shards as they were before",
    Way.SHARD_REBUILD: "Rebuild the shards it touched",
    Way.REWIND: "Replay from a kept state",
    Way.NEWTON: "Certified Newton step",
    Way.NO_ACTION: "Nothing, trained with differential privacy",
    Way.RETRAIN: "Train again from the start",
}
PROMISES = {
    "BIT_EXACT": "the bits of retraining",
    "SAME_RECIPE": "the same recipe without the records",
    "INFLUENCE_FREE": "never saw the records",
    "CERTIFIED": "a stated distance",
    "APPROXIMATE": "none; judged by attacks",
}
SET_BY = "The installation tries this method first (EXPUNGE_METHOD)."


@dataclass(frozen=True, kw_only=True)
class WeighedWay:
    """A way to unlearn, what it promises, the work predicted, and what was for or against it.

    ``takes`` is the predicted time of the work, a second execution included; ``ready`` the time
    until its result can be served.
    """

    title: str
    promise: str
    work: str
    reason: str
    taken: bool
    takes: str = ""
    ready: str = ""


def weighed_ways(run: UnlearningRun) -> list[WeighedWay]:
    """Return every way that was weighed for a run, the cheapest that would do first."""
    return ways_of(run.weighed, run.method)


def ways_of(told: Mapping[str, Any], method: str) -> list[WeighedWay]:
    """Return every way that was weighed, of which ``method`` carries out the one that is taken."""
    rows: Iterable[Mapping[str, Any]] = (*told.get("ranked", ()), *told.get("refused", ()))
    return [_row(row, method, set_by="set_by" in told) for row in rows]


def predicted_and_actual(run: UnlearningRun) -> tuple[int, int] | None:
    """Return the sample visits that were predicted for the way taken, and those it took."""
    actual = run.report.get("replay", {}).get("sample_visits")
    for row in run.weighed.get("ranked", ()):
        if actual is not None and row["option"]["way"] in (Way.REWIND, Way.SHARD_REBUILD):
            return row["option"]["cost"]["visits"], actual
    return None


def _row(row: Mapping[str, Any], chosen: str, *, set_by: bool) -> WeighedWay:
    option = row.get("option")
    key, _, method = (option["way"] if option else row["key"]).partition(":")
    method = option["method"] if option else method
    way = Way(key)
    # Two ways are one method; what is not even possible was not taken.
    taken = option is not None and chosen == (method or CARRIED_OUT_BY.get(way))
    return WeighedWay(
        title=method_title(method) if method else WAYS[way],
        promise=PROMISES[option["strength"]] if option else "",
        work=_work(option["fraction"]) if option else "",
        reason=gettext(SET_BY) if taken and set_by else _in_words(row["reason"]),
        taken=taken,
        takes=_seconds(option["cost"]) if option else "",
        ready=duration(option["latency"]) if option else "",
    )


def _work(fraction: float) -> str:
    return gettext("%(share)s of a retraining") % {"share": f"{fraction:.0%}"}


def _seconds(cost: Mapping[str, Any]) -> str:
    return duration(cost["seconds"] + cost["verify_seconds"])


def _in_words(reason: str) -> str:
    """Return a reason in the language of the page that calls every way by its title."""
    return retold(reason, _titled)


def _titled(value: str) -> str:
    way, _, method = value.partition(":")
    if way not in set(Way):
        return value
    title = method_title(method) if method else WAYS.get(Way(way), "")
    return f"\u201c{gettext(title)}\u201d" if title else value
