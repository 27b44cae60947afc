"""How jobs went in the last day, and how long those that run have been silent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db.models import Avg, Count, DurationField, ExpressionWrapper, F, Max, Min

from lineage.models import Job

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Ended:
    """Jobs of one kind that ended in one way; times are those of the last attempt."""

    kind: str
    status: str
    count: int
    mean_seconds: float
    longest_seconds: float


def ended_jobs(now: datetime) -> Sequence[Ended]:
    """Return what ended within the last day, by kind and outcome."""
    took = ExpressionWrapper(F("ended_at") - F("started_at"), output_field=DurationField())
    found = Job.objects.filter(ended_at__gte=now - DAY).values("kind", "status")
    rows = found.annotate(n=Count("pk"), mean=Avg(took), longest=Max(took))
    return [
        Ended(
            kind=row["kind"],
            status=row["status"],
            count=row["n"],
            mean_seconds=_seconds(row["mean"]),
            longest_seconds=_seconds(row["longest"]),
        )
        for row in rows.order_by("kind", "status")
    ]


def oldest_heartbeat(now: datetime) -> float:
    """Return for how many seconds the most silent running job said nothing; 0 if none runs."""
    running = Job.objects.filter(status=Job.Status.RUNNING)
    oldest = running.aggregate(oldest=Min("heartbeat_at"))["oldest"]
    return _seconds(now - oldest) if oldest else 0.0


def _seconds(took: timedelta | None) -> float:
    """Return seconds; 0 for a job that was cancelled before it began, or a clock set back."""
    return max(0.0, took.total_seconds()) if took else 0.0
