"""Keep what a running job says, so that whoever looks at its case sees the last lines."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import DatabaseError, connection, transaction

from audits.core import said
from audits.models import JobLine
from audits.queries.cases import jobs_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from audits.models import ErasureRequest
    from lineage.models import Job

KEPT = 50
SOURCE = "expunge"  # our own loggers


@contextmanager
def kept_lines(job: Job) -> Iterator[None]:
    """Keep the phases of this block, and the codes that it logs, as the last lines of a job."""
    source, handler = logging.getLogger(SOURCE), _Keeper(job)
    source.addHandler(handler)
    try:
        yield
    finally:
        source.removeHandler(handler)


def forget_lines(job: Job) -> None:
    """Delete the lines of a job that succeeded."""
    JobLine.objects.filter(job=job).delete()


def forget_lines_of(request: ErasureRequest) -> None:
    """Delete the lines of all jobs of a case, which has closed or forgets whose it was."""
    JobLine.objects.filter(job__in=jobs_of(request).order_by().values("pk")).delete()


def expire_lines(*, now: datetime) -> int:
    """Delete the lines that are older than the days they are kept; return how many."""
    since = now - timedelta(days=settings.EXPUNGE_JOB_LINE_DAYS)
    gone, _ = JobLine.objects.filter(at__lt=since).delete()
    return gone


class _Keeper(logging.Handler):
    """Writes phases and known codes into the database, never a message or a traceback.

    What cannot be written is lost.
    """

    def __init__(self, job: Job) -> None:
        super().__init__(logging.INFO)
        self.job = job

    def emit(self, record: logging.LogRecord) -> None:
        text = _text(record)
        if not text:
            return
        if connection.in_atomic_block and connection.needs_rollback:
            return  # a statement would only hide why the transaction failed
        try:
            # SQLite cannot commit before Django has read the number that the INSERT returns, and
            # the fence of a job commits a statement that stands alone at once.
            with transaction.atomic():
                line = JobLine.objects.create(
                    job=self.job,
                    at=datetime.fromtimestamp(record.created, UTC),
                    level=record.levelname[:8],
                    text=text[:300],
                )
                _only_the_newest(line)
        except DatabaseError:
            self.handleError(record)


def _text(record: logging.LogRecord) -> str:
    """Return the phase or the code that a record names; empty where it names none we know."""
    code = getattr(record, "said", "")
    return f"{said.MARK}{code}" if code in said.SENTENCES else getattr(record, "phase", "")


def _only_the_newest(line: JobLine) -> None:
    rows = JobLine.objects.filter(job=line.job_id)
    last = rows.order_by("-pk").values_list("pk", flat=True)[KEPT : KEPT + 1].first()
    if last is not None:
        rows.filter(pk__lte=last).delete()
