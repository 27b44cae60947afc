"""Stop and repeat work that no case waits for: a right of model operators, and an event.

What a case waits for is stopped and repeated on its own page, where the case says what follows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from audits.core.roles import Right
from audits.queries.job_cases import cases_of_jobs
from audits.services import log
from audits.services.actors import actor_of
from audits.services.rights import require
from lineage.core.worded import worded
from lineage.models import Job
from lineage.services import jobs

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from django.contrib.auth.models import User


class JobOfCase(Exception):
    """A case waits for the job."""


@transaction.atomic
def cancel_work(*, job_id: UUID, user: User, now: datetime) -> bool:
    """Cancel a job that waits, or ask the holder of one that runs to stop; False if it has ended.

    Args:
        job_id: of a job that belongs to no case.
        user: who does it.
        now: when.

    Raises:
        NotAllowed: the member of staff may not decide about models.
        Job.DoesNotExist: there is no such job.
        JobOfCase: it belongs to a case; the sentence says which.
    """
    job = _outside(job_id, user)
    if not jobs.request_cancel(job_id=job.pk, now=now):
        return False
    _log("work_cancelled", job, user, now)
    return True


@transaction.atomic
def retry_work(*, job_id: UUID, user: User, now: datetime) -> Job | None:
    """Queue a failed or cancelled job again; None if it has neither failed nor been cancelled.

    Args and raises as ``cancel_work``.
    """
    job = _outside(job_id, user)
    if not jobs.retry_job(job_id=job.pk):
        return None
    _log("work_retried", job, user, now)
    job.refresh_from_db()
    return job


def _outside(job_id: UUID, user: User) -> Job:
    require(user, Right.OPERATE)
    log.come_before_writers()
    job = Job.objects.select_for_update(of=("self",)).get(pk=job_id)
    if case := cases_of_jobs([job]).get(job.payload_id):
        raise JobOfCase(
            worded(
                "The case %(case)s waits for this job. Stop it or try it again on the page "
                "of the case.",
                case=case.reference,
            )
        )
    return job


def _log(kind: str, job: Job, user: User, now: datetime) -> None:
    data = {"job": str(job.pk), "kind": job.kind}
    log.append(type=kind, case=None, now=now, actor=actor_of(user), data=data)
