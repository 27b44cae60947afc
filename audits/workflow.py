"""The life of a case, top to bottom: the only module that enqueues.

``advance`` looks at where a case is and does the next step; it may be called at any time, any
number of times, by a finished job, by staff or by the sweeper. Jobs are named by what they are
for, so a step that is taken twice finds its job already there.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from celery import current_app, shared_task
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from kombu.exceptions import OperationalError

from audits.models import ErasureRequest
from audits.queries import case_file, cases, reports
from audits.services import closing, decisions, evidence, letters, planning, records, requests
from lineage.core import bitmaps
from lineage.models import Job, ModelVersion
from lineage.services import jobs
from unlearning.models import UnlearningRun
from unlearning.services import runs as unlearning_runs

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from django.contrib.auth.models import User

logger = logging.getLogger("expunge.workflow")

S = ErasureRequest.Status
R = UnlearningRun.Status
Outcome = ErasureRequest.Outcome
JOB_ENDED = "audits.job_ended"


class LetterNotSent(Exception):  # noqa: N818  (reads as the fact it states)
    """The mail server did not take the confirmation letter; nothing was started."""


# --- what people do ---------------------------------------------------------------------------


def submit(*, email: str, channel: str = "FORM") -> requests.Received:
    """Receive a request and send the person the link that confirms it.

    Raises:
        LetterNotSent: the request is kept, but unconfirmed; the person should try again.
    """
    now = timezone.now()
    received = requests.receive_request(email=email, channel=channel, now=now)
    sent = letters.send_letter(
        request=received.request,
        code="CONFIRM",
        now=now,
        context={
            "confirm_url": f"{settings.SITE_URL}/erasure/confirm/{received.confirm_token}/",
            "status_url": f"{settings.SITE_URL}/erasure/status/{received.status_token}/",
        },
    )
    if not sent:
        raise LetterNotSent(
            "We could not send the e-mail with your confirmation link. Please try again in a few "
            f"minutes, or write to {settings.EXPUNGE_CONTACT}."
        )
    return received


def confirm(*, token: str) -> ErasureRequest:
    """Use a confirmation link. Raises ``LinkNotUsable`` with a sentence for the person."""
    request = requests.confirm_request(token=token, now=timezone.now())
    wake(request.pk)
    return request


def accept(*, case_id: UUID, ground: str, user: User) -> None:
    """Accept a confirmed request and start the erasure."""
    requests.accept_request(case_id=case_id, ground=ground, user=user, now=timezone.now())
    wake(case_id)


def refuse(*, case_id: UUID, code: str, user: User) -> None:
    """Refuse a confirmed request for a coded reason and answer the person."""
    requests.refuse_request(case_id=case_id, code=code, user=user, now=timezone.now())
    wake(case_id)


def withdraw(*, case_id: UUID) -> None:
    """Close a case that the person takes back."""
    requests.withdraw_request(case_id=case_id, now=timezone.now())
    wake(case_id)


def decide_duplicate(*, finding_id: UUID, decision: str, user: User) -> None:
    """Keep a duplicate or erase it with the case."""
    now = timezone.now()
    planning.decide_duplicate(finding_id=finding_id, decision=decision, user=user, now=now)
    wake(planning.case_of_finding(finding_id))


def destroy_version(*, run_id: UUID, user: User) -> None:
    """Destroy a version that cannot be trained again."""
    decisions.decide_destroy(run_id=run_id, user=user, now=timezone.now())
    _wake_cases_of(run_id)


def use_outside_version(*, run_id: UUID, version_id: UUID, user: User) -> None:
    """Replace a version by one that was retrained outside, without the forget set."""
    version = ModelVersion.objects.get(pk=version_id)
    decisions.decide_outside(run_id=run_id, replacement=version, user=user, now=timezone.now())
    _wake_cases_of(run_id)


def retry(*, case_id: UUID, user: User) -> None:
    """Try a failed case again from where it stopped."""
    now = timezone.now()
    request = ErasureRequest.objects.get(pk=case_id)
    for job in cases.jobs_of(request).filter(status__in=["FAILED", "CANCELLED"]):
        jobs.retry_job(job_id=job.pk)
        unlearning_runs.requeue_run(run_id=job.payload_id)
    requests.resume_case(case_id=case_id, user=user, now=now)
    wake(case_id)


def export(*, case_id: UUID) -> None:
    """Write the report of a sealed case, again if its first try failed."""
    request = ErasureRequest.objects.get(pk=case_id)
    job = _report_job(request, timezone.now())
    if jobs.retry_job(job_id=job.pk):
        _ring(job)


def train(*, key: str, payload_id: UUID, parameters: dict[str, Any]) -> Job:
    """Train a model version from a recipe on a captured snapshot."""
    now = timezone.now()
    job = jobs.create_job(
        key=key, kind="TRAIN", queue="heavy", payload_id=payload_id, parameters=parameters, now=now
    )
    _ring(job)
    return job


# --- the tasks ---------------------------------------------------------------------------------


@shared_task(name="audits.advance")
def advance_case(case_id: str) -> None:
    """Do what can be done for a case now."""
    advance(UUID(case_id))


@shared_task(name=JOB_ENDED)
def job_ended(job_id: str) -> None:
    """Go on with the cases that waited for a job."""
    job = Job.objects.get(pk=job_id)
    for request in cases.cases_of_job(job):
        advance(request.pk)


@shared_task(name="audits.sweep")
def sweep() -> None:
    """Repair what a lost message or a dead worker left behind."""
    now = timezone.now()
    jobs.take_back_lapsed(now=now)
    silence = timedelta(seconds=settings.EXPUNGE_LEASE_SECONDS)
    for job in jobs.jobs_to_ring(now=now, silence=silence):
        _send("lineage.run_job", str(job.pk), job.queue)
    for case_id in cases.cases_at_work():
        advance(case_id)


# --- the steps ---------------------------------------------------------------------------------


def advance(case_id: UUID) -> None:
    """Take the steps that a case can take now, until it has to wait for somebody."""
    for _ in range(100):
        request = ErasureRequest.objects.get(pk=case_id)
        step = STEPS.get(request.status)
        if step is None or not step(request, timezone.now()):
            return
    logger.error("case %s does not come to rest", case_id)


def _close_early(request: ErasureRequest, now: datetime) -> bool:
    if request.outcome:
        return _seal(request, now)
    return False


def _restrict(request: ErasureRequest, now: datetime) -> bool:
    return planning.restrict_records(case_id=request.pk, now=now)


def _plan(request: ErasureRequest, now: datetime) -> bool:
    if planning.undecided(request.pk):
        return False
    forget = planning.forget_set(request.pk)
    state = ":".join(bitmaps.digest(bitmap)[:16] for bitmap in forget.values())
    decided = request.duplicates.count()
    job = _job(request, f"plan:{request.pk}:{state}:{decided}", "PLAN", "lineage", now)
    return _fail_with(request, job, now)


def _begin(request: ErasureRequest, now: datetime) -> bool:
    if not request.runs.exists():
        return _erase(request, now)
    return evidence.set_phase(case_id=request.pk, phase=S.UNLEARNING, now=now)


def _drive(request: ErasureRequest, now: datetime) -> bool:
    for run in case_file.ordered_runs(request):
        if run.status == R.CLEARED or hasattr(run, "escalated_to"):
            continue
        if run.status == R.WAITING:
            return False
        if run.status in (R.QUEUED, R.RUNNING):
            return _unlearn(request, run, now)
        if run.status == R.SUCCEEDED:
            return _audit(request, run, now)
        return _escalate(request, run, now)
    return _erase(request, now)


def _unlearn(request: ErasureRequest, run: UnlearningRun, now: datetime) -> bool:
    evidence.set_phase(case_id=request.pk, phase=S.UNLEARNING, now=now)
    evidence.prepare_run(run_id=run.pk, case_id=request.pk, now=now)
    job = _job(request, f"unlearn:{run.pk}", "UNLEARN", "heavy", now, payload=run.pk)
    if job.status != Job.Status.FAILED:
        return False
    return evidence.fail_run(run_id=run.pk, code=job.error_code, message=job.error, now=now)


def _audit(request: ErasureRequest, run: UnlearningRun, now: datetime) -> bool:
    evidence.set_phase(case_id=request.pk, phase=S.AUDITING, now=now)
    if not evidence.needs_shadows(run):
        judged = _job(request, f"judge:{run.pk}", "JUDGE", "heavy", now, payload=run.pk)
        return _fail_with(request, judged, now)
    look = evidence.fix_audit(run_id=run.pk, now=now)
    trained = [
        _job(
            request,
            f"audit:{run.pk}:{start}",
            "AUDIT",
            "heavy",
            now,
            payload=run.pk,
            parameters={"start": start, "stop": stop},
        )
        for start, stop in look.chunks
    ]
    for job in trained:
        if job.status != Job.Status.SUCCEEDED:
            return _fail_with(request, job, now)
    parameters = {"look": look.number}
    key = f"judge:{run.pk}:{look.number}"
    judged = _job(request, key, "JUDGE", "heavy", now, payload=run.pk, parameters=parameters)
    return _fail_with(request, judged, now)


def _escalate(request: ErasureRequest, run: UnlearningRun, now: datetime) -> bool:
    if run.method in (unlearning_runs.RETRAIN, unlearning_runs.DESTROY, unlearning_runs.OUTSIDE):
        verdict = case_file.verdict_of(run)
        message = run.error or "; ".join(verdict.reasons if verdict else [])
        return requests.fail_case(
            case_id=request.pk, code=run.error_code or "INCIDENT", message=message, now=now
        )
    evidence.escalate(run_id=run.pk, now=now)
    return True


def _erase(request: ErasureRequest, now: datetime) -> bool:
    key = f"erase:{request.pk}:{request.plan_digest[:16]}"
    return _fail_with(request, _job(request, key, "ERASE", "lineage", now), now)


def _seal(request: ErasureRequest, now: datetime) -> bool:
    records.seal_case(case_id=request.pk, now=now)
    return True


def _answer(request: ErasureRequest, now: datetime) -> bool:
    job = _report_job(request, now)
    answered = letters.send_letter(
        request=request,
        code=f"ANSWER_{request.outcome}",
        now=now,
        context={"runs": case_file.ordered_runs(request), "record": request.record},
    )
    if answered and job.status == Job.Status.SUCCEEDED:
        closing.forget_address(case_id=request.pk)
    return False


STEPS: dict[str, Callable[[ErasureRequest, datetime], bool]] = {
    S.VERIFIED: _close_early,
    S.REFUSED: _close_early,
    S.WITHDRAWN: _close_early,
    S.ACCEPTED: _restrict,
    S.RESTRICTED: _plan,
    S.PLANNED: _begin,
    S.UNLEARNING: _drive,
    S.AUDITING: _drive,
    S.ERASED: _seal,
    S.SEALED: _answer,
}


# --- the doorbell ------------------------------------------------------------------------------


def wake(case_id: UUID) -> None:
    """Ask a worker to look at a case once the current transaction is committed."""
    transaction.on_commit(lambda: _send("audits.advance", str(case_id), "intake"))


def _wake_cases_of(run_id: UUID) -> None:
    for request in cases.cases_of_run(run_id):
        wake(request.pk)


def _job(  # noqa: PLR0913  (the fields of a job)
    request: ErasureRequest,
    key: str,
    kind: str,
    queue: str,
    now: datetime,
    *,
    payload: UUID | None = None,
    parameters: dict[str, Any] | None = None,
) -> Job:
    job = jobs.create_job(
        key=key,
        kind=kind,
        queue=queue,
        payload_id=payload or request.pk,
        parameters=parameters,
        then=JOB_ENDED,
        now=now,
    )
    _ring(job)
    return job


def _ring(job: Job) -> None:
    if jobs.mark_rung(job_id=job.pk, now=timezone.now()):
        transaction.on_commit(lambda: _send("lineage.run_job", str(job.pk), job.queue))


def _report_job(request: ErasureRequest, now: datetime) -> Job:
    job = _job(request, f"report:{request.pk}", "REPORT", "report", now)
    if job.status == Job.Status.SUCCEEDED and not reports.report_files(request):
        logger.error("the report of case %s is missing", request.reference)
    return job


def _fail_with(request: ErasureRequest, job: Job, now: datetime) -> bool:
    """Fail the case with its job's sentence; False, to wait, while the job is not over."""
    if job.status in (Job.Status.FAILED, Job.Status.CANCELLED):
        code = job.error_code or job.status
        requests.fail_case(case_id=request.pk, code=code, message=job.error, now=now)
    return False


def _send(task: str, argument: str, queue: str) -> None:
    try:
        current_app.send_task(task, args=[argument], queue=queue, retry=False)
    except (OperationalError, OSError) as error:
        # The row is the truth: the sweeper rings again when the broker is back.
        logger.warning("the broker did not take %s: %s", task, type(error).__name__)
