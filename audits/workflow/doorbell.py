"""Jobs and messages: everything that is put into a queue goes through here, on commit."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from celery import current_app
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from kombu.exceptions import OperationalError

from audits.queries import reports
from lineage.core import spans
from lineage.core.queues import GPU
from lineage.models import Job
from lineage.services import jobs
from lineage.services.tiles import due_tiles

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from audits.models import ErasureRequest

logger = logging.getLogger("expunge.workflow")

JOB_ENDED = "audits.job_ended"
# What computes on the device of the installation; and what weighs the ways to unlearn, as it looks
# whether a training was made by the same hardware, and fails like the others where there is none.
ON_DEVICE = frozenset({"TRAIN", "TUNE", "UNLEARN", "SCORE", "AUDIT", "PLAN", "PREVIEW"})


def wake(case_id: UUID) -> None:
    """Ask a worker to look at a case once the current transaction is committed."""
    transaction.on_commit(lambda: _wake(case_id))


def _wake(case_id: UUID) -> None:
    with spans.of_case(case_id, "wake", "PRODUCER"):
        send("audits.advance", str(case_id), "intake")


def job_for(  # noqa: PLR0913  (the fields of a job)
    request: ErasureRequest,
    key: str,
    kind: str,
    queue: str,
    now: datetime,
    *,
    payload: UUID | None = None,
    parameters: dict[str, Any] | None = None,
) -> Job:
    """Return the job of a case called ``key``, made and rung if there is none."""
    job = jobs.create_job(
        key=key,
        kind=kind,
        queue=queue_of(kind, queue),
        payload_id=payload or request.pk,
        parameters=parameters,
        then=JOB_ENDED,
        now=now,
    )
    ring(job)
    return job


def queue_of(kind: str, queue: str) -> str:
    """Return the queue of a kind of job: ``queue``, or that of machines with a CUDA device."""
    return GPU if settings.EXPUNGE_DEVICE == "cuda" and kind in ON_DEVICE else queue


def ring(job: Job) -> None:
    """Tell a worker of a queued job, once; the sweeper repeats what was lost."""
    if jobs.mark_rung(job_id=job.pk, now=timezone.now()):
        transaction.on_commit(lambda: send("lineage.run_job", str(job.pk), job.queue))


def report_job(request: ErasureRequest, now: datetime) -> Job:
    """Return the job that writes the report of a case."""
    job = job_for(request, f"report:{request.pk}", "REPORT", "report", now)
    if job.status == Job.Status.SUCCEEDED and not reports.report_files(request):
        logger.error("the report of case %s is missing", request.reference)
    return job


def queue_tiles(now: datetime) -> None:
    """Queue the building of membership tiles wherever it is due."""
    for space, group, total, purges in due_tiles():
        job = jobs.create_job(
            key=f"tiles:{space.public_id}:{group}:{total}:{purges}",
            kind="TILES",
            queue="lineage",
            payload_id=space.public_id,
            parameters={"group": group},
            now=now,
        )
        ring(job)


def send(task: str, argument: str, queue: str) -> None:
    """Ring; a broker that is away is not an error."""
    try:
        current_app.send_task(task, args=[argument], queue=queue, retry=False)
    except (OperationalError, OSError) as error:
        # The row is the truth: the sweeper rings again when the broker is back.
        logger.warning("the broker did not take %s: %s", task, type(error).__name__)
