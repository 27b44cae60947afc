"""Keep what a running job says, so that whoever looks at its case sees the last lines."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from django.db import DatabaseError, connection

from audits.models import JobLine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lineage.models import Job

KEPT = 50
SOURCE = "expunge"  # our own loggers, which name nobody; a library's may


@contextmanager
def kept_lines(job: Job) -> Iterator[None]:
    """Keep what our loggers say within this block as the last lines of a job."""
    source, handler = logging.getLogger(SOURCE), _Keeper(job)
    source.addHandler(handler)
    try:
        yield
    finally:
        source.removeHandler(handler)


def forget_lines(job: Job) -> None:
    """Delete the lines of a job that succeeded."""
    JobLine.objects.filter(job=job).delete()


class _Keeper(logging.Handler):
    """Writes each message into the database, never a traceback; what cannot be written is lost."""

    def __init__(self, job: Job) -> None:
        super().__init__(logging.INFO)
        self.job = job

    def emit(self, record: logging.LogRecord) -> None:
        if connection.in_atomic_block and connection.needs_rollback:
            return  # a statement would only hide why the transaction failed
        try:
            line = JobLine.objects.create(
                job=self.job,
                at=datetime.fromtimestamp(record.created, UTC),
                level=record.levelname[:8],
                text=record.getMessage()[:300],
            )
            _only_the_newest(line)
        except DatabaseError:
            self.handleError(record)


def _only_the_newest(line: JobLine) -> None:
    rows = JobLine.objects.filter(job=line.job_id)
    last = rows.order_by("-pk").values_list("pk", flat=True)[KEPT : KEPT + 1].first()
    if last is not None:
        rows.filter(pk__lte=last).delete()
