"""Cases as staff and the person see them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import F, Q

from audits.models import Decision, ErasureRequest
from audits.queries.answering import knowing_somebody
from audits.queries.operator_cases import NO_DEADLINE
from audits.queries.waiting import coalesces
from lineage.models import Job

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from django.db.models import QuerySet

S, J = ErasureRequest.Status, Job.Status
# Kinds of jobs that are steps of cases: a case waits for its own, and fails with them.
OF_CASES = ("SEARCH", "SCORE", "PLAN", "UNLEARN", "AUDIT", "JUDGE", "ERASE")
CLOSED = (S.SEALED,)
OVER = (*CLOSED, S.EXPIRED)  # nobody confirmed it, and nothing is kept that staff could look at


def open_cases() -> QuerySet[ErasureRequest]:
    """Return the cases that still need work, the most urgent first, last those without a date."""
    cases = ErasureRequest.objects.exclude(status__in=OVER)
    return cases.order_by(F("due_on").asc(nulls_last=True), "received_at")


def closed_cases() -> QuerySet[ErasureRequest]:
    """Return the sealed cases, the newest first."""
    return ErasureRequest.objects.filter(status__in=CLOSED).order_by("-sealed_at")


def cases_called(reference: str) -> QuerySet[ErasureRequest]:
    """Return the cases, open or closed, whose reference has these letters, the newest first."""
    found = ErasureRequest.objects.filter(reference__icontains=reference)
    return found.order_by("-received_at")


def with_proposal(case_ids: Iterable[UUID]) -> set[UUID]:
    """Return which of these cases wait for the approval of a proposed decision."""
    waiting = Decision.objects.filter(request__in=list(case_ids), state=Decision.State.PROPOSED)
    return set(waiting.values_list("request_id", flat=True))


def case_by_status_digest(digest: str) -> ErasureRequest | None:
    """Return the case whose status page has this token digest."""
    return ErasureRequest.objects.filter(status_digest=digest).first()


def jobs_of(request: ErasureRequest) -> QuerySet[Job]:
    """Return the jobs of a case and of its runs, oldest first."""
    about = Q(payload_id=request.pk) | Q(payload_id__in=request.runs.order_by().values("pk"))
    return Job.objects.filter(about).order_by("created_at")


def stopped_jobs(request: ErasureRequest) -> QuerySet[Job]:
    """Return the stopped jobs that a case still needs, which those of escalated runs are not."""
    replaced = request.runs.exclude(escalated_to=None).values("pk")
    stopped = jobs_of(request).filter(status__in=[Job.Status.FAILED, Job.Status.CANCELLED])
    return stopped.exclude(payload_id__in=replaced)


def cases_of_run(run_id: UUID) -> QuerySet[ErasureRequest]:
    """Return the cases that a run serves."""
    return ErasureRequest.objects.filter(runs=run_id)


def cases_of_job(job: Job) -> QuerySet[ErasureRequest]:
    """Return the cases that wait for a job: about the case, its run, or a case of its batch."""
    waiting = Q(pk=job.payload_id) | Q(runs=job.payload_id)
    planned = ErasureRequest.objects.filter(pk=job.payload_id).exclude(batch=None)
    waiting |= Q(batch__in=planned.values("batch"))
    return ErasureRequest.objects.filter(waiting).distinct()


def cases_at_work() -> list[UUID]:
    """Return the cases that may have a step to take without anybody's decision.

    One that waits for a job has none before that ends, however it ends. There may be very many.
    """
    waiting = [S.FAILED, S.SEALED, S.EXPIRED]
    unanswered = Q(status=S.SEALED) & knowing_somebody()
    decided_by_people = Q(status__in=[S.RECEIVED, S.VERIFIED], outcome="")
    open_ = ~Q(status__in=waiting) & ~decided_by_people
    open_ &= ~Q(status=S.ON_HOLD, held_from="")
    found = ErasureRequest.objects.filter(open_ | unanswered)
    if coalesces():  # what waits for others has no step to take; there may be thousands
        alone = Q(status=S.RESTRICTED, batch=None, linked_to=None)
        alone &= ~Q(due_rule=NO_DEADLINE) & ~Q(kind=ErasureRequest.Kind.RESTRICTION)
        found = found.exclude(alone)
    return list(found.exclude(_waiting_for_a_job()).values_list("pk", flat=True))


def _waiting_for_a_job() -> Q:
    jobs = Job.objects.filter(kind__in=OF_CASES, status__in=(J.QUEUED, J.RUNNING))
    through = ErasureRequest.runs.through.objects
    runs = through.filter(unlearningrun__in=jobs.values("payload_id"))
    own = Q(pk__in=jobs.values("payload_id")) | Q(pk__in=runs.values("erasurerequest"))
    return own & ~Q(status__in=(S.SEALED, S.ON_HOLD))
