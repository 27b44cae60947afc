"""A worker that has nothing to do says that it is there, as long as it takes messages.

This is a step of Celery's consumer: it begins once the broker answers, and ends when the broker is
lost or the worker was asked to stop, before it waits for the job that runs. That job has a
heartbeat of its own (``lineage/tasks.py``).
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from celery import bootsteps

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger("expunge.worker")


class Signs(bootsteps.StartStopStep):
    """Write a row now and then, in the worker itself and not in the process of a task."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, consumer: Any, **options: Any) -> None:  # noqa: ANN401  (Celery's signature)
        super().__init__(consumer, **options)
        self.timer: Any = None

    def start(self, consumer: Any) -> None:  # noqa: ANN401
        """Give a sign at once, and from then on again and again."""
        from audits.queries.worker_signs import BEAT_SECONDS  # noqa: PLC0415  (Django is set up now)

        queues = [queue.name for queue in consumer.task_consumer.queues]
        _give(consumer.hostname, queues)
        self.timer = consumer.timer.call_repeatedly(
            BEAT_SECONDS, _give, (consumer.hostname, queues)
        )

    def stop(self, consumer: Any) -> None:  # noqa: ANN401
        """Take leave."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
            _leave(consumer.hostname)

    shutdown = stop


def _give(name: str, queues: list[str]) -> None:
    from django.utils import timezone  # noqa: PLC0415

    from audits.services.worker_signs import give_sign  # noqa: PLC0415

    _written(lambda: give_sign(name=name, queues=queues, now=timezone.now()))


def _leave(name: str) -> None:
    from audits.services.worker_signs import take_leave  # noqa: PLC0415

    _written(lambda: take_leave(name=name))


def _written(write: Callable[[], None]) -> None:
    """Write; a database that is away is no reason for a worker to stop.

    The connection is closed at once: processes of the pool are forked from this one.
    """
    from django.db import DatabaseError, connections  # noqa: PLC0415

    try:
        write()
    except DatabaseError as error:
        logger.warning("no sign of this worker was written: %s", type(error).__name__)
    finally:
        connections.close_all()
