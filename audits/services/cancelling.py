"""Stop a job that a case waits for: a right of model operators, and an event of the log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from audits.core.roles import Right
from audits.models import ErasureRequest
from audits.queries.cases import jobs_of
from audits.services import log
from audits.services.actors import actor_of
from audits.services.rights import require
from audits.services.transitions import MoveNotAllowed
from lineage.models import Job
from lineage.services import jobs

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from django.contrib.auth.models import User

UNDER_WAY = (Job.Status.QUEUED, Job.Status.RUNNING)


@transaction.atomic
def cancel_job(*, case_id: UUID, job_id: UUID, user: User, now: datetime) -> None:
    """Cancel a job that waits, or ask the holder of one that runs to stop.

    The case then needs attention, and goes on from there when somebody retries it.

    Raises:
        NotAllowed: the member of staff may not decide about models.
        Job.DoesNotExist: it is no job of this case.
        MoveNotAllowed: it has ended, or was stopped before.
    """
    require(user, Right.OPERATE)
    request = ErasureRequest.objects.get(pk=case_id)
    job = jobs_of(request).get(pk=job_id)
    if job.status not in UNDER_WAY or job.cancel_requested:
        raise MoveNotAllowed(
            f"The work {job} of {request.reference} has ended or is being stopped."
        )
    jobs.request_cancel(job_id=job.pk, now=now)
    log.append(
        type="job_cancelled",
        case=case_id,
        now=now,
        actor=actor_of(user),
        data={"kind": job.kind},
    )
