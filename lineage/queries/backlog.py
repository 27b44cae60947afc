"""How much work waits, for whoever watches the installation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lineage.models import Job

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class Backlog:
    """Jobs that wait for a worker; ``oldest_seconds`` is None when none does."""

    queued: int
    running: int
    oldest_seconds: float | None


def backlog(now: datetime) -> Backlog:
    """Return the backlog at ``now``."""
    queued = Job.objects.filter(status=Job.Status.QUEUED)
    oldest = queued.order_by("created_at").values_list("created_at", flat=True).first()
    return Backlog(
        queued=queued.count(),
        running=Job.objects.filter(status=Job.Status.RUNNING).count(),
        oldest_seconds=None if oldest is None else max(0.0, (now - oldest).total_seconds()),
    )
