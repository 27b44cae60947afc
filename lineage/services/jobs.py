"""Claim, renew, finish and take back jobs. See ``lineage/models/jobs.py`` for the states."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from django.db import transaction
from django.db.models import Case, F, Q, Value, When

from lineage.models import Job, PausedQueue

if TYPE_CHECKING:
    import uuid
    from collections.abc import Mapping
    from datetime import datetime, timedelta

logger = logging.getLogger("expunge.job")
CHILD_DIED = "CHILD_DIED"
DEFAULT_ATTEMPTS = 3


class JobNotClaimable(Exception):
    """The job is held by somebody, has ended, its queue is paused, or it never existed."""


class LeaseLost(Exception):
    """The lease lapsed and the job was taken back; somebody else may have it."""


def create_job(  # noqa: PLR0913  (the fields of a job)
    *,
    key: str,
    kind: str,
    queue: str,
    payload_id: uuid.UUID,
    now: datetime,
    parameters: Mapping[str, Any] | None = None,
    then: str = "",
) -> Job:
    """Return the job called ``key``, creating it QUEUED if there is none."""
    job, _ = Job.objects.get_or_create(
        key=key,
        defaults={
            "kind": kind,
            "queue": queue,
            "payload_id": payload_id,
            "parameters": dict(parameters or {}),
            "then": then,
            "created_at": now,
            "max_attempts": DEFAULT_ATTEMPTS,
        },
    )
    return job


def claim_job(*, job_id: uuid.UUID, now: datetime, lease: timedelta) -> Job:
    """Take a queued job for a new holder.

    Raises:
        JobNotClaimable: somebody else was first, the job has ended or is to be cancelled, or its
            queue is paused.
    """
    holder = uuid4()
    waiting = Job.objects.filter(pk=job_id, status=Job.Status.QUEUED, cancel_requested=False)
    claimed = waiting.exclude(queue__in=_paused()).update(
        status=Job.Status.RUNNING,
        holder=holder,
        attempt=F("attempt") + 1,
        lease_until=now + lease,
        heartbeat_at=now,
        started_at=now,
        phase="",
        done=0,
        total=0,
        error="",
        error_code="",
    )
    job = Job.objects.filter(pk=job_id, holder=holder).first() if claimed else None
    if job is None:  # the second case: this process slept past its own lease
        raise JobNotClaimable(str(job_id))
    return job


def renew_lease(*, job: Job, now: datetime, lease: timedelta) -> bool:
    """Extend the lease; return whether somebody asked for the job to be cancelled.

    Raises:
        LeaseLost: the job is no longer ours; the caller must stop at once.
    """
    if not held_rows(job).update(heartbeat_at=now, lease_until=now + lease):
        raise LeaseLost(str(job))
    return Job.objects.values_list("cancel_requested", flat=True).get(pk=job.pk)


def report_progress(*, job: Job, phase: str, done: int, total: int, left: str = "") -> None:
    """Write how far the job is, for the page that polls it; a phase that begins is logged.

    ``left`` is what is said of the rest of the phase; another such word begins no other phase.
    """
    words = f"{phase}, {left}" if left else phase
    held_rows(job).update(phase=words[:100], done=done, total=total)
    if phase != job.phase:
        job.phase = phase
        logger.info("job %s: %s", job, phase, extra={"phase": phase})


def finish_job(*, job: Job, now: datetime) -> bool:
    """Mark a held job as succeeded; False when the lease was lost."""
    return bool(_end(job, Job.Status.SUCCEEDED, now))


def fail_job(*, job: Job, now: datetime, code: str, message: str) -> bool:
    """Mark a held job as failed for good; False when the lease was lost."""
    return bool(_end(job, Job.Status.FAILED, now, error_code=code, error=message[:2000]))


def cancel_job(*, job: Job, now: datetime) -> bool:
    """Mark a held job as cancelled; False when the lease was lost."""
    return bool(_end(job, Job.Status.CANCELLED, now))


def was_ended_by_its_child(*, job: Job) -> bool:
    """Return whether this try of a job came to its end, well or not, and nobody has it now."""
    ends = Q(status=Job.Status.SUCCEEDED) | Q(status=Job.Status.FAILED) & ~Q(error_code=CHILD_DIED)
    return Job.objects.filter(ends, pk=job.pk, attempt=job.attempt).exists()


def request_cancel(*, job_id: uuid.UUID, now: datetime) -> bool:
    """Cancel a queued job at once; ask the holder of a running one to stop.

    Return whether that changed anything: not where it has ended, or was asked to stop before. It
    is one UPDATE, or a job that is given back between two would be missed by both.
    """
    waits = Q(status=Job.Status.QUEUED)
    runs = Q(status=Job.Status.RUNNING, cancel_requested=False)
    return bool(
        Job.objects.filter(waits | runs, pk=job_id).update(
            status=Case(When(waits, then=Value(Job.Status.CANCELLED)), default=F("status")),
            ended_at=Case(When(waits, then=Value(now)), default=F("ended_at")),
            cancel_requested=Case(
                When(runs, then=Value(value=True)), default=F("cancel_requested")
            ),
        )
    )


def retry_job(*, job_id: uuid.UUID) -> bool:
    """Queue a failed or cancelled job again with a fresh set of attempts."""
    return bool(
        Job.objects.filter(pk=job_id, status__in=[Job.Status.FAILED, Job.Status.CANCELLED]).update(
            status=Job.Status.QUEUED,
            attempt=0,
            max_attempts=DEFAULT_ATTEMPTS,  # more, where somebody was away
            cancel_requested=False,
            error="",  # or, if this try is cancelled, the earlier one's would be told
            error_code="",
            ended_at=None,
            rung_at=None,
        )
    )


def release_job(*, job: Job, now: datetime) -> None:
    """Give a held job back after its child died, or fail it when its attempts are used up.

    One that was asked to stop is cancelled instead.
    """
    _give_back(held_rows(job), now)


def take_back_lapsed(*, now: datetime, lease: timedelta) -> int:
    """Queue again, fail or cancel every job whose holder stopped renewing; return how many.

    One that an earlier release queued again after it was to be cancelled is cancelled, too.
    ``lease``: nobody holds a job for longer; see ``_shorten``.
    """
    _shorten(now, lease)
    lapsed = _give_back(Job.objects.filter(status=Job.Status.RUNNING, lease_until__lt=now), now)
    return lapsed + cancel_asked(Job.objects.filter(status=Job.Status.QUEUED), now)


def mark_rung(*, job_id: uuid.UUID, now: datetime) -> bool:
    """Say that a queued job's message goes out now; False when one is out already."""
    return bool(
        Job.objects.filter(pk=job_id, status=Job.Status.QUEUED, rung_at=None).update(rung_at=now)
    )


def jobs_to_ring(*, now: datetime, silence: timedelta) -> list[Job]:
    """Mark and return the queued jobs that nobody was told of for as long as ``silence``.

    Those of paused queues are left out: nobody could claim them. Who was told in the future was
    told before the clock was set back.
    """
    due = Q(rung_at=None) | Q(rung_at__lt=now - silence) | Q(rung_at__gt=now + silence)
    waiting = Job.objects.filter(due, status=Job.Status.QUEUED).exclude(queue__in=_paused())
    jobs = list(waiting.order_by("created_at")[:500])
    Job.objects.filter(pk__in=[job.pk for job in jobs]).update(rung_at=now)
    return jobs


def _shorten(now: datetime, lease: timedelta) -> None:
    """End a lease that is longer than any can be: it was given before the clock was set back.

    Its holder, if there still is one, renews it in time as always.
    """
    longer = Job.objects.filter(status=Job.Status.RUNNING, lease_until__gt=now + 2 * lease)
    longer.update(lease_until=now + lease)


def _paused() -> Any:  # noqa: ANN401  (a queryset, for a subquery of the same statement)
    return PausedQueue.objects.values("queue")


def held_rows(job: Job) -> Any:  # noqa: ANN401  (a queryset)
    """Return the row of a job while it is held as ``job`` says; no row otherwise."""
    return Job.objects.filter(pk=job.pk, status=Job.Status.RUNNING, holder=job.holder)


def _end(job: Job, status: str, now: datetime, **fields: str) -> int:
    with transaction.atomic():  # the fence asks at its end who ended the job
        ended: int = held_rows(job).update(
            status=status, holder=None, lease_until=None, ended_at=now, **fields
        )
        if ended:
            job.status = status
    return ended


def _give_back(jobs: Any, now: datetime) -> int:  # noqa: ANN401  (a queryset)
    wanted = jobs.filter(cancel_requested=False)
    again: int = wanted.filter(attempt__lt=F("max_attempts")).update(
        status=Job.Status.QUEUED, holder=None, lease_until=None, rung_at=None
    )
    gone: int = wanted.filter(attempt__gte=F("max_attempts")).update(
        status=Job.Status.FAILED,
        holder=None,
        lease_until=None,
        ended_at=now,
        error_code=CHILD_DIED,
        error="The process that did this job died each time it was tried. Look at the worker's "
        "log for the cause (often memory), then retry the job.",
    )
    return again + gone + cancel_asked(jobs, now)  # last: somebody may ask meanwhile


def cancel_asked(jobs: Any, now: datetime) -> int:  # noqa: ANN401  (a queryset)
    """Cancel those of the jobs that were asked to stop; return how many."""
    cancelled: int = jobs.filter(cancel_requested=True).update(
        status=Job.Status.CANCELLED, holder=None, lease_until=None, ended_at=now
    )
    return cancelled
