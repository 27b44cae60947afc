"""What staff decide about a version that the platform cannot train again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from audits.core.roles import Right
from audits.models import Evidence
from audits.queries import cases
from audits.queries.replacements import objection_to
from audits.services import evidence, four_eyes, log, verdicts
from audits.services.actors import actor_of
from audits.services.requests import resume_case
from audits.services.rights import require
from unlearning.models import UnlearningRun
from unlearning.services import runs

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from django.contrib.auth.models import User

    from lineage.models import ModelVersion


class ReplacementNotAcceptable(Exception):
    """The proposed version cannot stand in; the sentence says why."""


@transaction.atomic
def decide_destroy(*, run_id: UUID, user: User, now: datetime) -> None:
    """Choose destruction.

    Raises:
        NotAllowed: the member of staff may not decide about models.
        NotYourDecision: they approved a case that the run serves.
        RunNotWaiting: there is nothing to decide.
    """
    require(user, Right.OPERATE)
    _check_executor(run_id, user, "DESTROY")
    runs.decide_destroy(run_id=run_id)
    _log_choice(run_id, user, now)


@transaction.atomic
def take_over(*, run_id: UUID, user: User, now: datetime) -> bool:
    """Stop trying a run that stopped the case; the case goes on meanwhile.

    For weights that are lost, a recipe that changed: what a retry cannot mend. Staff decide about
    a version that could not be unlearned. A result that could not be audited counts as one that
    was not cleared: its version is trained again from scratch, or waits for staff where that had
    been done. False when there is nothing to take over.

    Raises:
        NotAllowed: the member of staff may not decide about models.
        NotYourDecision: they approved a case that the run serves.
    """
    require(user, Right.OPERATE)
    _check_executor(run_id, user, "TAKE_OVER")
    if not (runs.ask_about_run(run_id=run_id) or _set_aside(run_id, now)):
        return False
    run = UnlearningRun.objects.get(pk=run_id)
    for request in cases.cases_of_run(run_id):
        log.append(
            type="run_taken_over",
            case=request.pk,
            now=now,
            actor=actor_of(user),
            data={"run": str(run_id), "version": str(run.target_id)},
        )
        resume_case(case_id=request.pk, user=user, now=now)
    return True


def _check_executor(run_id: UUID, user: User, action: str) -> None:
    served = list(cases.cases_of_run(run_id).values_list("pk", flat=True))
    four_eyes.check_executor(cases=served, user=user, action=action)


def _set_aside(run_id: UUID, now: datetime) -> bool:
    if not runs.set_aside(run_id=run_id):
        return False
    following = evidence.escalate(run_id=run_id, now=now)
    if UnlearningRun.objects.get(pk=run_id).method == runs.RETRAIN:
        runs.ask_about_run(run_id=following.pk)
    return True


@transaction.atomic
def decide_outside(*, run_id: UUID, replacement: ModelVersion, user: User, now: datetime) -> None:
    """Accept a version retrained outside whose captured membership excludes the forget set.

    Raises:
        NotAllowed: the member of staff may not decide about models.
        ReplacementNotAcceptable: it is not in use or stands in for another; its membership was
            not captured, or meets the forget set; or it was made from what was cleared
            approximately only.
        NotYourDecision: they approved a case that the run serves.
        RunNotWaiting: there is nothing to decide.
    """
    require(user, Right.OPERATE)
    _check_executor(run_id, user, "USE_OUTSIDE")
    run = UnlearningRun.objects.select_related("space", "target").get(pk=run_id)
    if reason := objection_to(run, replacement):
        raise ReplacementNotAcceptable(reason)
    runs.decide_outside(run_id=run_id, replacement=replacement, now=now)
    _log_choice(run_id, user, now)
    checks = {"membership_captured": True, "forget_set_disjoint": True, "same_recipe": False}
    finding = verdicts.Finding(
        kind=Evidence.Kind.CONSTRUCTION,
        look=0,
        models_per_arm=0,
        payload={"checks": checks, "reasons": []},
        outcome="ERASED_BY_CONSTRUCTION",
        reasons=["Retrained outside; its captured membership excludes the forget set."],
        final=True,
    )
    verdicts.conclude(run_id=run_id, findings=[finding], now=now)


def _log_choice(run_id: UUID, user: User, now: datetime) -> None:
    run = UnlearningRun.objects.get(pk=run_id)
    data = {
        "run": str(run_id),
        "version": str(run.target_id),
        "method": run.method,
        "forget_count": run.forget_count,
        "forget_digest": run.forget_digest,
    }
    for request in cases.cases_of_run(run_id):
        log.append(type="run_planned", case=request.pk, now=now, data=data, actor=actor_of(user))
