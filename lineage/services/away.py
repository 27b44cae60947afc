"""Give back a job whose store or database is away, and try it again after a pause that grows.

Its process did not die, so this costs none of its attempts: ``max_attempts`` rises with
``attempt``, and what it is above ``DEFAULT_ATTEMPTS`` says how often somebody was away. The pause
is written into ``rung_at``, as the time at which a message would be ``silence`` old at its end.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING

from django.db.models import F

from lineage.models import Job
from lineage.services.jobs import DEFAULT_ATTEMPTS, cancel_asked, held_rows

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

FIRST_PAUSE = timedelta(seconds=5)
PATIENCE = timedelta(hours=1)
STORE, DATABASE = 75, 76  # the first is EX_TEMPFAIL of sysexits.h, the second is free there


@dataclass(frozen=True, kw_only=True)
class Away:
    """Who did not answer: the code of a job that failed of it, and the sentence."""

    code: str
    sentence: str


BY_EXIT: Mapping[int, Away] = MappingProxyType(
    {
        STORE: Away(
            code="StoreNotReachable",
            sentence="The store that EXPUNGE_STORE names did not answer at any of {tries} tries "
            "in a row. Look whether it is there (the worker's log has what it said), then retry "
            "the job.",
        ),
        DATABASE: Away(
            code="OperationalError",
            sentence="The database did not answer, or broke off what it was asked, at each of "
            "{tries} tries. The worker's log has what it said. Put that right, then retry the "
            "job.",
        ),
    }
)


def release_away(*, job: Job, now: datetime, away: Away, silence: timedelta) -> None:
    """Give a held job back until somebody answers, or fail it after an hour of trying.

    At least as often as a job may die is it tried, however long a try takes. One that was asked to
    stop is cancelled instead. ``silence`` is how long the sweep leaves a job that was rung.
    """
    tries = job.max_attempts - DEFAULT_ATTEMPTS + 1
    pause = min(FIRST_PAUSE * 2 ** min(tries - 1, 10), silence)
    took = now - (job.started_at or now)
    wanted = held_rows(job).filter(cancel_requested=False)
    if tries >= DEFAULT_ATTEMPTS and tries * (took + pause) >= PATIENCE:
        wanted.update(
            status=Job.Status.FAILED,
            holder=None,
            lease_until=None,
            ended_at=now,
            error_code=away.code,
            error=away.sentence.format(tries=tries),
        )
    else:
        wanted.update(
            status=Job.Status.QUEUED,
            holder=None,
            lease_until=None,
            max_attempts=F("max_attempts") + 1,
            rung_at=now + pause - silence,
        )
    cancel_asked(held_rows(job), now)  # last: somebody may ask meanwhile
