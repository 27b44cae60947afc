"""The steps of one run of a case: unlearn, then audit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audits.models import ErasureRequest
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


def unlearn(request: ErasureRequest, run: UnlearningRun, now: datetime) -> bool:
    """Have a run carried out, once the budget of the model's owner allows what is dear."""
    evidence.set_phase(case_id=request.pk, phase=S.UNLEARNING, now=now)
    if not bases.prepare_run(run_id=run.pk, case_id=request.pk, now=now):
        return True
    key = f"unlearn:{run.pk}"
    if _waits_for_budget(request, run, key, now):
        return False
    job = job_for(request, key, "UNLEARN", "heavy", now, payload=run.pk)
    if job.status != Job.Status.FAILED or job.error_code in REPAIRABLE:
        return fail_with(request, job, now)
    return evidence.fail_run(run_id=run.pk, code=job.error_code, message=job.error, now=now)


def audit(request: ErasureRequest, run: UnlearningRun, now: datetime) -> bool:
    """Have the models of the next look trained, on the same condition, and the run judged."""
    evidence.set_phase(case_id=request.pk, phase=S.AUDITING, now=now)
    if not evidence.needs_shadows(run):
        judged = job_for(request, f"judge:{run.pk}", "JUDGE", "heavy", now, payload=run.pk)
        return fail_with(request, judged, now)
    look = evidence.fix_audit(run_id=run.pk, now=now)
    keys = [f"audit:{run.pk}:{look.jobs}{start}" for start, _ in look.chunks]
    if keys and _waits_for_budget(request, run, keys[0], now):
        return False
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


def _waits_for_budget(
    request: ErasureRequest, run: UnlearningRun, key: str, now: datetime
) -> bool:
    """Return whether a job that has not begun waits until its model's owner may compute again."""
    if Job.objects.filter(key=key).exists():
        owner_budgets.stop_waiting(request=request, run=run, now=now)
        return False
    audited = run.status == R.SUCCEEDED
    return owner_budgets.wait_for_budget(request=request, run=run, audit=audited, now=now)


def fail_with(request: ErasureRequest, job: Job, now: datetime) -> bool:
    """Fail the case with its job's sentence; False, to wait, while the job is not over."""
    if job.status in (Job.Status.FAILED, Job.Status.CANCELLED):
        code = job.error_code or job.status
        message = job.error or f"The job {job} was cancelled. Retry the case to do it again."
        requests.fail_case(case_id=request.pk, code=code, message=message, now=now)
    return False
