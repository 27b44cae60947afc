"""What runs for a case now, and what it waits for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Q

from audits.models import DuplicateFinding, ErasureRequest
from audits.queries.case_file import ordered_runs
from audits.queries.cases import jobs_of
from audits.queries.ends import exceptions_of
from audits.queries.operator_cases import needs_scores
from audits.queries.told import awaited
from lineage.models import Job
from unlearning.models import UnlearningRun
from unlearning.services import runs

if TYPE_CHECKING:
    from django.db.models import QuerySet

S = ErasureRequest.Status
AT_WORK = (
    S.ACCEPTED,
    S.APPROVED,
    S.RESTRICTED,
    S.PLANNED,
    S.UNLEARNING,
    S.AUDITING,
    S.ERASED,
)


@dataclass(frozen=True, kw_only=True)
class Work:
    """What runs for a case: jobs at work, jobs that wait for a worker, and who is waited for.

    ``stopped`` failed or were cancelled; ``told`` are places of old versions that have not
    acknowledged, where the case is not sealed before they do.
    """

    running: tuple[Job, ...]
    queued: tuple[Job, ...]
    stopped: tuple[Job, ...]
    undecided: int
    waiting: int
    told: int

    @property
    def needs_staff(self) -> bool:
        """Return whether the case waits for a decision."""
        return bool(self.undecided or self.waiting) and not (self.running or self.queued)


def work_of(request: ErasureRequest) -> Work:
    """Return what runs for a case now."""
    jobs = list(jobs_of(request))
    planning = request.status == S.RESTRICTED
    return Work(
        running=tuple(job for job in jobs if job.status == Job.Status.RUNNING),
        queued=tuple(job for job in jobs if job.status == Job.Status.QUEUED),
        stopped=tuple(
            job for job in jobs if job.status in (Job.Status.FAILED, Job.Status.CANCELLED)
        ),
        undecided=pending_duplicates(request).count() if planning else 0,
        waiting=len(runs_that_wait(request)),
        told=len(awaited(request)) if request.status == S.ERASED else 0,
    )


def is_at_work(request: ErasureRequest, work: Work) -> bool:
    """Return whether a case moves by itself, so that a page about it has something to watch."""
    if work.running or work.queued:
        return True
    if request.status == S.DRAFT:  # before the first job is there, too
        return needs_scores(request.operator_case)
    if request.kind == ErasureRequest.Kind.RESTRICTION and request.status == S.RESTRICTED:
        return False  # it stays so until staff lift it
    if work.told:
        return False  # for days: whoever runs an old version has to say that it is gone
    closing = request.status in (S.VERIFIED, S.REFUSED, S.WITHDRAWN) and bool(request.outcome)
    return closing or (request.status in AT_WORK and not work.needs_staff)


def waiting_runs(request: ErasureRequest) -> QuerySet[UnlearningRun]:
    """Return the runs whose version has no recipe, so that staff must decide."""
    waiting = request.runs.filter(status=UnlearningRun.Status.WAITING)
    stay = request.version_exceptions.exclude(approved_at=None)
    waiting = waiting.exclude(target__in=stay.values("version"))
    return waiting.select_related("target").order_by("created_at")


def runs_that_wait(request: ErasureRequest) -> list[UnlearningRun]:
    """Return the same in the order of the plan; of a case that was loaded whole, in no query."""
    if not request.loaded_whole:
        return list(waiting_runs(request))
    stay = exceptions_of(request)
    waiting = UnlearningRun.Status.WAITING
    found = [run for run in ordered_runs(request) if run.status == waiting]
    return [run for run in found if run.target_id not in stay]


def stopped_runs(request: ErasureRequest) -> QuerySet[UnlearningRun]:
    """Return the runs at which a failed case stopped, for which staff may decide otherwise.

    They could not be carried out, or their result could not be audited.
    """
    if request.status != S.FAILED:
        return request.runs.none()
    stopped = jobs_of(request).filter(status__in=[Job.Status.FAILED, Job.Status.CANCELLED])
    ended = UnlearningRun.Status.SUCCEEDED
    unmade = Q(pk__in=stopped.filter(kind="UNLEARN").values("payload_id"), unlearned=None)
    unjudged = Q(
        pk__in=stopped.filter(kind__in=["AUDIT", "JUDGE"]).values("payload_id"), status=ended
    ) & ~Q(method=runs.DESTROY)
    found = request.runs.filter(unmade & ~Q(status=ended) | unjudged, escalated_to=None)
    return found.select_related("target").order_by("created_at")


def pending_duplicates(request: ErasureRequest) -> QuerySet[DuplicateFinding]:
    """Return the duplicates that staff have not decided about."""
    pending = request.duplicates.filter(decision=DuplicateFinding.Decision.PENDING)
    return pending.order_by("kind", "distance", "forget_ordinal", "other_ordinal")
