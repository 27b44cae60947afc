"""What happens to a case without anybody's decision, state by state."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from django.utils import timezone

from audits.core.letter_rules import RULES
from audits.models import ErasureRequest, Notice
from audits.queries import batches, case_file, cases
from audits.queries.conflicts import case_ahead
from audits.queries.decisions import lacks_mandate
from audits.queries.ends import exceptions_of
from audits.queries.evidence import verdict_of
from audits.queries.letter_context import answer_context
from audits.queries.operator_cases import needs_scores
from audits.queries.places import must_search
from audits.queries.policy_values import held
from audits.queries.told import awaited
from audits.queries.waiting import waits_for_others
from audits.services import (
    bases,
    budget_waits,
    closing,
    evidence,
    holds,
    letter_posting,
    letters,
    notices,
    places,
    planning,
    records,
    removal,
    requests,
    stopping,
)
from audits.workflow import kind_steps, traced
from audits.workflow.doorbell import job_for, report_job
from audits.workflow.run_steps import fail_with, go_on, phase_of
from lineage.models import Job
from unlearning.models import UnlearningRun
from unlearning.services import runs as unlearning_runs

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from uuid import UUID

logger = logging.getLogger("expunge.workflow")

S = ErasureRequest.Status
Outcome = ErasureRequest.Outcome
ANSWER = "ANSWER"
R = UnlearningRun.Status
# These end without a decision, and what they had restricted before is held by nobody then.
SET_FREE = (Outcome.NO_DATA_FOUND, Outcome.JOINED)


def advance(case_id: UUID) -> None:
    """Take the steps that a case can take now, until it has to wait for somebody."""
    for _ in range(100):
        with held():  # a step ends with the policy values that it began with
            if not _take_step(case_id):
                return
    logger.error("case %s does not come to rest", case_id)


def _take_step(case_id: UUID) -> bool:
    if holds.hold_case(case_id=case_id, now=timezone.now()):
        holds.resume_held(case_id=case_id, now=timezone.now())
    request = ErasureRequest.objects.get(pk=case_id)
    step = STEPS.get(request.status)
    if step is None:
        return False
    return traced.take(step, request)


def _close_early(request: ErasureRequest, now: datetime) -> bool:
    if must_search(request):
        return _search(request, now)
    if not request.outcome or _hides_from_agent(request) or not _set_free(request, now):
        return False
    closing.forget_unknown(request=request, now=now)
    if request.outcome in SET_FREE:
        stopping.lift_at_once(case_id=request.pk, now=now)
    return _seal(request, now)


def _hides_from_agent(request: ErasureRequest) -> bool:
    """Return whether an outcome tells what we hold to an agent whose mandate nobody has seen."""
    silent = (Outcome.WITHDRAWN, Outcome.NOT_IDENTIFIED)
    return request.outcome not in silent and lacks_mandate(request)


def _set_free(request: ErasureRequest, now: datetime) -> bool:
    """Return whether nothing is restricted that was before a request was turned down."""
    return request.outcome != Outcome.REFUSED or kind_steps.turned_down(request, now)


def _ask(request: ErasureRequest, now: datetime) -> bool:
    if request.outcome:
        return _seal(request, now)
    kind_steps.ask(request, now)
    return False


def _search(request: ErasureRequest, now: datetime) -> bool:
    # Again where another place was registered meanwhile.
    made = cases.jobs_of(request).filter(kind="SEARCH", status=Job.Status.SUCCEEDED).count()
    job = job_for(request, f"search:{request.pk}:{made}", "SEARCH", "lineage", now)
    if job.status not in (Job.Status.FAILED, Job.Status.CANCELLED):
        return False
    places.leave_to_staff(request=request, now=now)
    return True


def _restrict(request: ErasureRequest, now: datetime) -> bool:
    if request.kind == ErasureRequest.Kind.RESTRICTION:
        return stopping.restrict_accepted(case_id=request.pk, now=now)
    return planning.restrict_records(case_id=request.pk, now=now)


def _restrict_chosen(request: ErasureRequest, now: datetime) -> bool:
    return removal.restrict_chosen(case_id=request.pk, now=now)


def _score(request: ErasureRequest, now: datetime) -> bool:
    if needs_scores(request.operator_case):
        job = job_for(request, f"score:{request.pk}", "SCORE", "heavy", now)
        return fail_with(request, job, now)
    return False


def _plan(request: ErasureRequest, now: datetime) -> bool:
    if request.kind == ErasureRequest.Kind.RESTRICTION:
        return kind_steps.keep_restricted(request, now) and _end(request, now)
    if planning.undecided(request.pk) or waits_for_others(request):
        return False
    if batches.planned_by_another(request) or case_ahead(request):
        return False
    # Again after each decision of staff, and after an attempt that another case came before.
    tried = cases.jobs_of(request).filter(kind="PLAN", status=Job.Status.SUCCEEDED).count()
    job = job_for(request, f"plan:{request.pk}:{tried}", "PLAN", "lineage", now)
    return fail_with(request, job, now)


def _begin(request: ErasureRequest, now: datetime) -> bool:
    if not request.runs.exists():
        return _erase(request, now)
    return evidence.set_phase(case_id=request.pk, phase=S.UNLEARNING, now=now)


def _drive(request: ErasureRequest, now: datetime) -> bool:
    """Go on with the first run that can; what the others wait for must not keep it back."""
    waiting = False
    behind: dict[UUID, UnlearningRun] = {}  # the first run that waits for the budget of an owner
    stay = exceptions_of(request)
    for run in case_file.ordered_runs(request):
        if run.status == R.CLEARED or hasattr(run, "escalated_to") or run.target_id in stay:
            continue
        # For staff, or on what does; the others go on meanwhile.
        if run.status == R.WAITING or bases.waits_for_base(run, request.pk):
            waiting = True
            continue
        if run.status not in (R.QUEUED, R.RUNNING, R.SUCCEEDED):
            return _escalate(request, run, now)
        moved = go_on(request, run, now)
        if isinstance(moved, bool):
            budget_waits.end_waits(case_id=request.pk, now=now, besides=behind)
            return moved
        behind.setdefault(moved.pk, run)
    budget_waits.end_waits(case_id=request.pk, now=now, besides=behind)
    for run in [*behind.values()][:1]:
        evidence.set_phase(case_id=request.pk, phase=phase_of(run), now=now)
    return False if waiting or behind else _erase(request, now)


def _escalate(request: ErasureRequest, run: UnlearningRun, now: datetime) -> bool:
    exact = run.method in (unlearning_runs.RETRAIN, unlearning_runs.DESTROY)
    if exact and not bases.reopen_base(run_id=run.pk, case_id=request.pk):
        verdict = verdict_of(run)
        message = run.error or "; ".join(verdict.reasons if verdict else [])
        return requests.fail_case(
            case_id=request.pk, code=run.error_code or "INCIDENT", message=message, now=now
        )
    evidence.escalate(run_id=run.pk, now=now)
    return True


def _erase(request: ErasureRequest, now: datetime) -> bool:
    if batches.erased_before(request):
        return False
    key = f"erase:{request.pk}:{request.plan_digest[:16]}"
    # Again after a job that a legal hold stopped at the last moment.
    stopped = cases.jobs_of(request).filter(
        key__startswith=key, kind="ERASE", status=Job.Status.SUCCEEDED
    )
    key = f"{key}:{count}" if (count := stopped.count()) else key
    return fail_with(request, job_for(request, key, "ERASE", "lineage", now), now)


def _seal(request: ErasureRequest, now: datetime) -> bool:
    records.seal_case(case_id=request.pk, now=now)
    return True


def _end(request: ErasureRequest, now: datetime) -> bool:
    request.refresh_from_db()
    return _seal(request, now)


def _tell_and_seal(request: ErasureRequest, now: datetime) -> bool:
    """Tell recipients and who runs the old versions, then seal; their answers may come later."""
    notices.tell_of(request=request, occasion=Notice.Occasion.ERASED, now=now)
    return False if awaited(request) else _seal(request, now)


def _answer(request: ErasureRequest, now: datetime) -> bool:
    job = report_job(request, now)
    code = f"ANSWER_{request.outcome}"
    if code not in RULES:
        return False  # nobody is to be written to
    context = answer_context(request)
    answered = letters.send_letter(request=request, code=code, now=now, context=context)
    if answered and job.status == Job.Status.SUCCEEDED:
        closing.forget_address(case_id=request.pk)
        letter_posting.forget_postal_address(case_id=request.pk)
    return False


STEPS: dict[str, Callable[[ErasureRequest, datetime], bool]] = {
    S.RECEIVED: _close_early,
    S.INFO_ASKED: _ask,
    S.VERIFIED: _close_early,
    S.REFUSED: _close_early,
    S.WITHDRAWN: _close_early,
    S.DRAFT: _score,
    S.ACCEPTED: _restrict,
    S.APPROVED: _restrict_chosen,
    S.RESTRICTED: _plan,
    S.PLANNED: _begin,
    S.UNLEARNING: _drive,
    S.AUDITING: _drive,
    S.ERASED: _tell_and_seal,
    S.SEALED: _answer,
}
