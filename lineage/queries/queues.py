"""What waits in each queue of jobs, what runs, and whether anybody takes jobs from it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db.models import Count, Max, Min, Q

from lineage.core.queues import GPU, QUEUES
from lineage.models import Job, PausedQueue

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from django.db.models import QuerySet

S = Job.Status
SEEN_DAYS = 28  # what ended earlier is no sign of a worker
SILENCE = timedelta(minutes=5)  # a worker that is there takes a waiting job in seconds


@dataclass(frozen=True, kw_only=True)
class QueueState:
    """One queue at a moment; ``seen_at`` is the last sign of a worker, idle or not.

    A heartbeat or an end of a job is looked for in the last ``SEEN_DAYS`` days. ``workers``
    counts those that take from the queue now; None where nobody told.
    ``oldest_since`` is when the oldest waiting job came; ``silent``, that a worker should have
    taken it long ago; ``needed``, that it should have a worker.
    """

    name: str
    purpose: str
    queued: int = 0
    running: int = 0
    failed: int = 0
    oldest_since: datetime | None = None
    seen_at: datetime | None = None
    paused_at: datetime | None = None
    paused_by: str = ""
    silent: bool = False
    workers: int | None = None
    needed: bool = True

    @property
    def drained(self) -> bool:
        """Return whether it is paused and nothing of it runs any more."""
        return self.paused_at is not None and not self.running

    @property
    def absent(self) -> bool:
        """Return whether no worker takes from it, nor is busy with the last job that it took."""
        return self.needed and self.workers == 0 and not self.running


def queue_states(
    now: datetime, signs: Mapping[str, Sequence[datetime]] | None = None
) -> list[QueueState]:
    """Return every queue, in two queries: those that are known, then others that have jobs.

    That of machines with a CUDA device is left out where nothing is computed on one.

    Args:
        now: when.
        signs: the last sign of each worker that is there, by queue, where that is known.
    """
    paused = {row.queue: row for row in PausedQueue.objects.select_related("paused_by")}
    rows = {row["queue"]: row for row in _counted(now)}
    names = dict.fromkeys([*filter(_used, QUEUES), *rows, *paused])
    found = [_state(name, rows.get(name), paused.get(name), now) for name in names]
    return found if signs is None else [_heard(one, signs.get(one.name, ())) for one in found]


def pauses_of(jobs: Iterable[Job]) -> dict[str, PausedQueue]:
    """Return the pauses in which these jobs wait, by queue; in no query where none waits."""
    queues = {job.queue for job in jobs if job.status == S.QUEUED}
    return PausedQueue.objects.in_bulk(queues) if queues else {}


def running_jobs() -> QuerySet[Job]:
    """Return the jobs that run now, the longest running first."""
    return Job.objects.filter(status=S.RUNNING).order_by("started_at")


def waiting_jobs() -> QuerySet[Job]:
    """Return the jobs that no worker has taken yet, in the order in which they came."""
    return Job.objects.filter(status=S.QUEUED).order_by("created_at")


def unfinished_jobs(since: datetime) -> QuerySet[Job]:
    """Return the jobs that failed or were stopped since a moment, the newest first."""
    found = Job.objects.filter(status__in=(S.FAILED, S.CANCELLED), ended_at__gte=since)
    return found.order_by("-ended_at")


def failed_jobs(since: datetime) -> QuerySet[Job]:
    """Return the jobs that failed since a moment, the newest first."""
    return Job.objects.filter(status=S.FAILED, ended_at__gte=since).order_by("-ended_at")


def _used(name: str) -> bool:
    return name != GPU or settings.EXPUNGE_DEVICE == "cuda"


def _heard(state: QueueState, signs: Sequence[datetime]) -> QueueState:
    seen = max([*filter(None, [state.seen_at]), *signs], default=None)
    return replace(state, seen_at=seen, workers=len(signs))


def _counted(now: datetime) -> Any:  # noqa: ANN401  (rows of counts)
    waiting = Q(status=S.QUEUED)
    ended = Q(ended_at__gte=now - timedelta(days=SEEN_DAYS))
    found = Job.objects.filter(Q(status__in=(S.QUEUED, S.RUNNING, S.FAILED)) | ended)
    return found.values("queue").annotate(
        queued=Count("pk", filter=waiting),
        running=Count("pk", filter=Q(status=S.RUNNING)),
        failed=Count("pk", filter=Q(status=S.FAILED)),
        first=Min("created_at", filter=waiting),
        beat=Max("heartbeat_at"),
        ended=Max("ended_at"),
    )


def _state(
    name: str, row: dict[str, Any] | None, pause: PausedQueue | None, now: datetime
) -> QueueState:
    row = row or {}
    first = row.get("first")
    seen = max(filter(None, (row.get("beat"), row.get("ended"))), default=None)
    unheard = first is not None and now - first > SILENCE and not row["running"]
    return QueueState(
        name=name,
        needed=_used(name) or first is not None,
        purpose=QUEUES.get(name, ""),
        queued=row.get("queued", 0),
        running=row.get("running", 0),
        failed=row.get("failed", 0),
        oldest_since=first,
        seen_at=seen,
        paused_at=pause.paused_at if pause else None,
        paused_by=pause.paused_by.get_username() if pause and pause.paused_by else "",
        silent=unheard and pause is None and (seen is None or now - seen > SILENCE),
    )
