"""How jobs go, as pages show it: how far, how much longer, what they said last."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from audits.models import JobLine

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from lineage.models import Job

SHOWN = 12
SOONEST = timedelta(seconds=2)  # before that nothing can be said of the rest


@dataclass(frozen=True, kw_only=True)
class Course:
    """How a running job goes: since when, and what is left of its phase where that is known."""

    elapsed: timedelta
    remaining: timedelta | None
    lines: Sequence[JobLine]


def courses_of(jobs: Iterable[Job], now: datetime) -> Mapping[UUID, Course]:
    """Return how each job goes at ``now``; in one query, in none where there is no job."""
    jobs = list(jobs)
    said = lines_of(jobs)
    return {job.pk: _course(job, said[job.pk], now) for job in jobs}


def lines_of(jobs: Iterable[Job]) -> Mapping[UUID, list[JobLine]]:
    """Return the last lines of each job, the oldest first."""
    said: dict[UUID, list[JobLine]] = {job.pk: [] for job in jobs}
    for line in JobLine.objects.filter(job__in=list(said)).order_by("pk") if said else ():
        said[line.job_id].append(line)
    return said


def remaining(*, done: int, total: int, spent: timedelta) -> timedelta | None:
    """Return how long the rest takes if it goes on as it went; None where nothing is known.

    Args:
        done: steps that are done.
        total: steps in all; 0 while that is not known.
        spent: how long they took.
    """
    if not 0 < done <= total or spent < SOONEST:
        return None
    return spent / done * (total - done)


def _course(job: Job, lines: list[JobLine], now: datetime) -> Course:
    started = job.started_at or now
    # The counts are those of the phase: a line was written when it began. What the job itself
    # says of the rest follows after a comma, and is not said a second time.
    begun = [line for line in lines if f"{job.phase}, ".startswith(f"{line.text}, ")]
    since = max(begun[-1].at, started) if begun else started
    says = bool(begun) and begun[-1].text != job.phase
    return Course(
        elapsed=max(now - started, timedelta()),
        remaining=None if says else _left(job, now - since),
        lines=lines[-SHOWN:],
    )


def _left(job: Job, spent: timedelta) -> timedelta | None:
    if job.status != job.Status.RUNNING:
        return None
    return remaining(done=job.done, total=job.total, spent=spent)
