"""Pause a queue of jobs, and let it go on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lineage.core.queues import QUEUES, QueueUnknown
from lineage.models import Job, PausedQueue

if TYPE_CHECKING:
    from datetime import datetime

    from django.contrib.auth.models import User


def pause_queue(*, queue: str, user: User | None, now: datetime) -> bool:
    """Have no job of a queue claimed from now on; False when it was paused before.

    What runs is not stopped: the queue drains.

    Raises:
        QueueUnknown: there is no such queue.
    """
    if queue not in QUEUES:
        raise QueueUnknown(queue)
    _, made = PausedQueue.objects.get_or_create(
        queue=queue, defaults={"paused_at": now, "paused_by": user}
    )
    return made


def resume_queue(*, queue: str) -> bool:
    """Have jobs of a queue claimed again; False when it was not paused.

    The bells of its jobs went unheard meanwhile, so the sweep rings them anew.

    Raises:
        QueueUnknown: there is no such queue.
    """
    if queue not in QUEUES:
        raise QueueUnknown(queue)
    gone, _ = PausedQueue.objects.filter(queue=queue).delete()
    if gone:
        Job.objects.filter(queue=queue, status=Job.Status.QUEUED).update(rung_at=None)
    return bool(gone)
