"""One job as its page shows it: for what, whose, since when, and how much longer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from audits.models import PlanPreview
from audits.queries.case_jobs import courses_of
from audits.queries.job_cases import cases_of_jobs
from lineage.models import Job, OrdinalSpace
from lineage.queries.queues import pauses_of
from unlearning.models import Tuning, UnlearningRun

if TYPE_CHECKING:
    from datetime import datetime

    from audits.models import ErasureRequest
    from audits.queries.case_jobs import Course
    from lineage.models import PausedQueue

S = Job.Status


@dataclass(frozen=True, kw_only=True)
class JobPage:
    """A job at a moment.

    * ``about``: what it is done for, in words; empty where that is gone;
    * ``case``: the case that waits for it, if one does;
    * ``elapsed``: of the wait while it is queued, of the last try otherwise;
    * ``course``: what is left of its phase where that is known, and what it said last;
    * ``lapsed``: whether it runs and its worker stopped renewing its lease;
    * ``pause``: of its queue, while it waits; None where that is not paused.
    """

    job: Job
    about: str
    case: ErasureRequest | None
    elapsed: timedelta
    course: Course
    lapsed: bool
    pause: PausedQueue | None

    @property
    def stop_event(self) -> str:
        """Return the type of the event by which it would be stopped."""
        return "work_cancelled" if self.case is None else "job_cancelled"

    @property
    def may_stop(self) -> bool:
        """Return whether it can be stopped here."""
        under_way = self.job.status in (S.QUEUED, S.RUNNING)
        return under_way and not self.job.cancel_requested and self.case is None

    @property
    def may_repeat(self) -> bool:
        """Return whether it can be done again from here."""
        return self.job.status in (S.FAILED, S.CANCELLED) and self.case is None


def job_page(job: Job, now: datetime) -> JobPage:
    """Return what there is to say of a job at ``now``."""
    course = courses_of([job], now)[job.pk]
    return JobPage(
        job=job,
        about=_about(job),
        case=cases_of_jobs([job]).get(job.payload_id),
        elapsed=elapsed(job, now),
        course=courses_of([job], now)[job.pk],
        pause=pauses_of([job]).get(job.queue),
        lapsed=job.lease_until is not None and job.lease_until < now,
    )


def elapsed(job: Job, now: datetime) -> timedelta:
    """Return how long a job has waited, runs, or ran at its last try."""
    since = job.created_at if job.status == S.QUEUED else job.started_at or job.created_at
    return max((job.ended_at or now) - since, timedelta())


def _about(job: Job) -> str:
    if job.kind == "TRAIN":
        return str(job.parameters.get("model_name", ""))
    if job.kind == "TUNE":
        found = Tuning.objects.filter(pk=job.payload_id).first()
        return f"{found.method} on {found.recipe}" if found else ""
    if job.kind == "PREVIEW":
        asked = PlanPreview.objects.select_related("version").filter(pk=job.payload_id).first()
        return str(asked.version) if asked else ""
    if job.kind == "TILES":
        space = OrdinalSpace.objects.filter(public_id=job.payload_id).first()
        return space.name if space else ""
    run = UnlearningRun.objects.select_related("target").filter(pk=job.payload_id).first()
    return str(run.target) if run else ""
