"""The steps of one run of a case: unlearn, then audit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audits.models import ErasureRequest, ModelOwner
from audits.services import bases, evidence, owner_budgets, requests
from audits.workflow.doorbell import job_for
from lineage.models import Job
from unlearning.models import UnlearningRun

if TYPE_CHECKING:
    from datetime import datetime

S, R = ErasureRequest.Status, UnlearningRun.Status
# What is wrong is not the method: exact retraining would fail as well, and a retry may help.
REPAIRABLE = frozenset(
    {
        "ArtefactAltered",
        "ArtefactMissing",
        "CHILD_DIED",
        "OperationalError",
        "RecipeChanged",
        "RecipeNotAllowed",
        "StoreFull",
        "StoreNotReachable",
        "StoreNotWritable",
    }
)


def phase_of(run: UnlearningRun) -> str:
    """Return the phase of a case in which a run that has not ended is worked on."""
    return S.AUDITING if run.status == R.SUCCEEDED else S.UNLEARNING


def go_on(request: ErasureRequest, run: UnlearningRun, now: datetime) -> bool | ModelOwner:
    """Have the next thing done for a run, or return the owner for whose budget it waits."""
    if run.status == R.SUCCEEDED:
        return _audit(request, run, now)
    return _unlearn(request, run, now)


def _unlearn(request: ErasureRequest, run: UnlearningRun, now: datetime) -> bool | ModelOwner:
    """Have a run carried out, once the budget of the model's owner allows what is dear."""
    if not bases.prepare_run(run_id=run.pk, case_id=request.pk, now=now):
        return True
    key = f"unlearn:{run.pk}"
    if owner := _owner_waited_for(request, run, key, now):
        return owner
    evidence.set_phase(case_id=request.pk, phase=S.UNLEARNING, now=now)
    job = job_for(request, key, "UNLEARN", "heavy", now, payload=run.pk)
    if job.status != Job.Status.FAILED or job.error_code in REPAIRABLE:
        return fail_with(request, job, now)
    return evidence.fail_run(run_id=run.pk, code=job.error_code, message=job.error, now=now)


def _audit(request: ErasureRequest, run: UnlearningRun, now: datetime) -> bool | ModelOwner:
    """Have the models of the next look trained, on the same condition, and the run judged."""
    if not evidence.needs_shadows(run):
        evidence.set_phase(case_id=request.pk, phase=S.AUDITING, now=now)
        judged = job_for(request, f"judge:{run.pk}", "JUDGE", "heavy", now, payload=run.pk)
        return fail_with(request, judged, now)
    look = evidence.fix_audit(run_id=run.pk, now=now)
    keys = [f"audit:{run.pk}:{look.jobs}{start}" for start, _ in look.chunks]
    if keys and (owner := _owner_waited_for(request, run, keys[0], now)):
        return owner
    evidence.set_phase(case_id=request.pk, phase=S.AUDITING, now=now)
    trained = [
        job_for(
            request,
            key,
            "AUDIT",
            "heavy",
            now,
            payload=run.pk,
            parameters={"start": start, "stop": stop},
        )
        for key, (start, stop) in zip(keys, look.chunks, strict=True)
    ]
    for job in trained:
        if job.status != Job.Status.SUCCEEDED:
            return fail_with(request, job, now)
    parameters = {"look": look.number}
    key = f"judge:{run.pk}:{look.number}"
    judged = job_for(request, key, "JUDGE", "heavy", now, payload=run.pk, parameters=parameters)
    return fail_with(request, judged, now)


def _owner_waited_for(
    request: ErasureRequest, run: UnlearningRun, key: str, now: datetime
) -> ModelOwner | None:
    """Return for whose budget a job waits, which it does only until it has begun."""
    if Job.objects.filter(key=key).exists():
        return None
    audited = run.status == R.SUCCEEDED
    return owner_budgets.wait_for_budget(request=request, run=run, audit=audited, now=now)


def fail_with(request: ErasureRequest, job: Job, now: datetime) -> bool:
    """Fail the case with its job's sentence; False, to wait, while the job is not over."""
    if job.status in (Job.Status.FAILED, Job.Status.CANCELLED):
        code = job.error_code or job.status
        message = job.error or f"The job {job} was cancelled. Retry the case to do it again."
        requests.fail_case(case_id=request.pk, code=code, message=message, now=now)
    return False
