"""Stop a job that a case waits for: a right of model operators, and an event of the log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from audits.core.roles import Right
from audits.models import ErasureRequest
from audits.queries.cases import cases_of_job, jobs_of
from audits.services import four_eyes, log
from audits.services.actors import actor_of
from audits.services.rights import require
from audits.services.transitions import MoveNotAllowed
from lineage.core.worded import worded
from lineage.services import jobs

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from django.contrib.auth.models import User


@transaction.atomic
def cancel_job(*, case_id: UUID, job_id: UUID, user: User, now: datetime) -> None:
    """Cancel a job that waits, or ask the holder of one that runs to stop.

    What follows is another thing for each kind of job: ``docs/staff-pages.md``.

    Raises:
        NotAllowed: the member of staff may not decide about models.
        NotYourDecision: a case that waits for it is their own, or they approved it.
        Job.DoesNotExist: it is no job of this case.
        MoveNotAllowed: it has ended, or was stopped before.
    """
    require(user, Right.OPERATE)
    request = ErasureRequest.objects.get(pk=case_id)
    log.come_before_writers()
    job = jobs_of(request).select_for_update(of=("self",)).get(pk=job_id)
    served = cases_of_job(job).values_list("pk", flat=True)
    four_eyes.check_executor(cases={case_id, *served}, user=user, action="CANCEL_JOB")
    if not jobs.request_cancel(job_id=job.pk, now=now):
        raise MoveNotAllowed(
            worded(
                "The work %(job)s of %(case)s has ended or is being stopped.",
                job=job,
                case=request.reference,
            )
        )
    log.append(
        type="job_cancelled",
        case=case_id,
        now=now,
        actor=actor_of(user),
        data={"kind": job.kind},
    )
