"""Which workers take work now: how many of each queue, and when the last was heard."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING

from audits.models import WorkerSign
from lineage.core.queues import QUEUES
from lineage.queries.queues import queue_states

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from lineage.queries.queues import QueueState

BEAT_SECONDS = 30.0
HEARD = timedelta(seconds=4 * BEAT_SECONDS)  # whoever was silent for longer is not there
MESSAGES = "intake"  # carries no jobs, and is no queue of ``QUEUES``


def signs(now: datetime) -> Mapping[str, Sequence[datetime]]:
    """Return the last signs of the workers that are there, by queue; of no worker, none."""
    found: dict[str, list[datetime]] = defaultdict(list)
    for worker in WorkerSign.objects.filter(at__gte=now - HEARD):
        for queue in worker.queues:
            found[queue].append(worker.at)
    return found


def watched_queues(now: datetime) -> list[QueueState]:
    """Return every queue of jobs with the workers that take from it; three queries."""
    return queue_states(now, signs(now))


def without_worker(now: datetime) -> list[str]:
    """Return the queues that nobody takes from and of which nothing runs."""
    heard = signs(now)
    absent = [one.name for one in queue_states(now, heard) if one.name in QUEUES and one.absent]
    return absent if heard.get(MESSAGES) else [MESSAGES, *absent]
