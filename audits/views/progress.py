"""The part of a case's page that renews itself while work goes on."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from django.http import HttpResponse
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag

from audits.queries import case_work
from audits.queries.case_file import ordered_runs
from audits.queries.case_jobs import SHOWN, courses_of, lines_of
from audits.queries.page_words import duration, phase, said
from audits.views.wording import job_title
from lineage.queries.queues import pauses_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from django.http import HttpRequest

    from audits.models import ErasureRequest, JobLine
    from audits.queries.case_jobs import Course
    from lineage.models import Job, PausedQueue
    from unlearning.models import UnlearningRun

WORKING = "working"
# A worker takes a job within a second; after this long somebody should look.
PATIENCE = timedelta(seconds=60)


@dataclass(frozen=True, kw_only=True)
class Bar:
    """A job at work; ``total`` is 0 while its extent is not known."""

    title: str
    phase: str
    done: int
    total: int
    attempt: int
    job: Job
    course: Course

    @property
    def elapsed(self) -> str:
        """Return how long it has been at work."""
        return duration(self.course.elapsed.total_seconds())

    @property
    def remaining(self) -> str:
        """Return how much longer this phase takes; empty where nobody knows."""
        left = self.course.remaining
        return "" if left is None else duration(left.total_seconds())


@dataclass(frozen=True, kw_only=True)
class Progress:
    """What a page that watches a case shows.

    * ``state``: changes when the rest of the page is out of date, which is then loaded again;
    * ``phase``: what is announced, once, to those who do not see the bars;
    * ``queued``: jobs that wait, with what they do;
    * ``ended``: jobs that failed or were stopped, with what they said last;
    * ``stuck``: jobs wait and no worker takes them, though no queue of theirs is paused;
    * ``pauses``: of the queues in which jobs wait;
    * ``awaits``: how many places must acknowledge before the case goes on; 0 where it waits for
      none.
    """

    state: str
    phase: str
    bars: tuple[Bar, ...]
    queued: tuple[tuple[Job, str], ...]
    ended: tuple[tuple[Job, str, Sequence[JobLine]], ...]
    stuck: bool
    pauses: tuple[PausedQueue, ...]
    awaits: int

    @property
    def active(self) -> bool:
        """Return whether there is anything to watch."""
        return self.state == WORKING


def progress_of(request: ErasureRequest, now: datetime) -> Progress:
    """Return what runs for a case at ``now``."""
    work = case_work.work_of(request)
    runs = {run.pk: run for run in ordered_runs(request)}
    courses = courses_of(work.running, now)
    bars = tuple(_bar(job, runs, courses[job.pk]) for job in work.running)
    ended = work.stopped if request.status == request.Status.FAILED else ()
    said = lines_of(ended)
    pauses = pauses_of(work.queued)
    active = case_work.is_at_work(request, work)
    return Progress(
        state=WORKING
        if active
        else f"{request.status}:{work.undecided}:{work.waiting}:{work.told}",
        phase=_phase(request, bars),
        bars=bars,
        queued=tuple((job, job_title(job.kind, runs.get(job.payload_id))) for job in work.queued),
        ended=tuple(
            (job, job_title(job.kind, runs.get(job.payload_id)), said[job.pk][-SHOWN:])
            for job in ended
        ),
        stuck=not bars and any(_is_left(job, pauses, now) for job in work.queued),
        pauses=tuple(pauses.values()),
        awaits=0 if active else work.told,
    )


def fragment(request: HttpRequest, content: str) -> HttpResponse:
    """Return a fragment, or 304 Not Modified when the browser shows it already."""
    etag = quote_etag(hashlib.sha256(content.encode()).hexdigest()[:32])
    response = HttpResponse(content, headers={"ETag": etag})
    found = get_conditional_response(request, etag=etag, response=response)
    return found or response


def _phase(request: ErasureRequest, bars: tuple[Bar, ...]) -> str:
    if not bars:
        return said(request.get_status_display())
    return "; ".join(
        f"{bar.title}: {phase(bar.phase)}" if bar.phase else bar.title for bar in bars
    )


def _is_left(job: Job, pauses: Mapping[str, PausedQueue], now: datetime) -> bool:
    if job.queue in pauses:
        return False
    if job.attempt:  # it may pause, as its store is away
        return max(job.created_at, job.started_at or job.created_at) < now - 3 * PATIENCE
    return job.created_at < now - PATIENCE


def _bar(job: Job, runs: Mapping[UUID, UnlearningRun], course: Course) -> Bar:
    return Bar(
        title=job_title(job.kind, runs.get(job.payload_id)),
        phase=job.phase,
        done=min(job.done, job.total),
        total=job.total,
        attempt=job.attempt,
        job=job,
        course=course,
    )
