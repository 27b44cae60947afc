"""What is done about the queues of jobs, and about jobs that no case waits for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils import timezone

from audits.services import job_switch, queue_switch
from audits.workflow import doorbell
from lineage.models import Job

if TYPE_CHECKING:
    from uuid import UUID

    from django.contrib.auth.models import User

_AT_ONCE = 100  # bells rung at once; the sweep rings the others


def pause_queue(*, queue: str, user: User | None) -> bool:
    """Have no job of a queue claimed from now on; False when it was paused before."""
    return queue_switch.pause_queue(queue=queue, user=user, now=timezone.now())


def resume_queue(*, queue: str, user: User | None) -> bool:
    """Have jobs of a queue claimed again, and ring; False when it was not paused."""
    changed = queue_switch.resume_queue(queue=queue, user=user, now=timezone.now())
    if changed:
        waiting = Job.objects.filter(queue=queue, status=Job.Status.QUEUED)
        for job in waiting.order_by("created_at")[:_AT_ONCE]:
            doorbell.ring(job)
    return changed


def cancel_work(*, job_id: UUID, user: User) -> bool:
    """Stop a job that no case waits for; False if it has ended. Raises as the service does."""
    return job_switch.cancel_work(job_id=job_id, user=user, now=timezone.now())


def retry_work(*, job_id: UUID, user: User) -> bool:
    """Do such a job again, and ring; False if it neither failed nor was stopped."""
    job = job_switch.retry_work(job_id=job_id, user=user, now=timezone.now())
    if job is not None:
        doorbell.ring(job)
    return job is not None
