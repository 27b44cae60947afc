"""Keep the owners of models and their budgets, and let dear work wait for those.

An erasure is never refused for a budget, and its time to answer comes before it: what cannot wait
any longer goes on, and the wait says so.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

from django.db import transaction

from audits.core.budgets import short_of
from audits.core.canonical import write_json
from audits.core.roles import Right
from audits.models import BudgetWait, ErasureRequest, ModelOwner, OwnedModel
from audits.queries.due_chain import must_begin
from audits.queries.owner_budgets import owner_of, owner_of_model, spent_by
from audits.services import budget_waits, four_eyes, log
from audits.services.actors import actor_of
from audits.services.rights import require
from lineage.core.worded import worded, worded_of
from lineage.models import ModelVersion
from unlearning.services.runs import REPLAY, RETRAIN

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from django.contrib.auth.models import User

    from unlearning.models import UnlearningRun

State = BudgetWait.State
DEAR = (RETRAIN, REPLAY)  # methods that train; all others take a small part of a training
LONGEST_NAME = 100
LEAST_REASON, MOST_REASON = 10, 500
MOST_DAYS, MOST_RUNS = 365, 1_000_000


class BudgetRefused(ValueError):
    """Nothing was changed; the sentence says what is not allowed."""


@transaction.atomic
def set_budget(
    *,
    name: str,
    seconds: float | None,
    runs: int | None,
    lead_days: int,
    user: User,
    now: datetime,
) -> ModelOwner:
    """Make an owner of models, or change the budget of the one with this name.

    Args:
        name: of a team, never of a person.
        seconds: that its models' unlearning may take in 30 days; None is no limit.
        runs: that may begin in a day; None is no limit.
        lead_days: so many days before a due date its work goes on whatever was spent.
        user: an administrator.
        now: when.

    Raises:
        NotAllowed: the member of staff may not change the policy.
        BudgetRefused: a value is out of its range.
    """
    require(user, Right.ADMINISTER)
    name = name.strip()
    _check_budget(name, seconds, runs, lead_days)
    budget = {"seconds": seconds, "runs": runs, "lead_days": lead_days}
    owner, _ = ModelOwner.objects.update_or_create(
        name=name, defaults=budget, create_defaults={**budget, "created_at": now}
    )
    digest = hashlib.sha256(write_json(budget)).hexdigest()
    data = {"owner": str(owner.pk), "budget": digest}
    log.append(type="owner_budget_set", case=None, now=now, actor=actor_of(user), data=data)
    return owner


def _check_budget(name: str, seconds: float | None, runs: int | None, lead_days: int) -> None:
    if not 1 <= len(name) <= LONGEST_NAME:
        raise BudgetRefused(
            worded_of(
                "name",
                "It has %(count)s characters; allowed are 1 to %(most)s.",
                count=len(name),
                most=LONGEST_NAME,
            )
        )
    for field, value in (("seconds", seconds), ("runs", runs)):
        if value is not None and not 0 <= value < float("inf"):
            raise BudgetRefused(
                worded_of(field, "It is %(value)s; allowed is 0 or more, or nothing.", value=value)
            )
    if runs is not None and runs > MOST_RUNS:
        raise BudgetRefused(
            worded_of(
                "runs",
                "It is %(runs)s; allowed are at most %(most)s, or nothing.",
                runs=runs,
                most=MOST_RUNS,
            )
        )
    if not 1 <= lead_days <= MOST_DAYS:
        raise BudgetRefused(
            worded_of(
                "lead_days",
                "It is %(lead_days)s; allowed are 1 to %(most)s.",
                lead_days=lead_days,
                most=MOST_DAYS,
            )
        )


@transaction.atomic
def set_owner(*, version_id: UUID, owner_id: UUID | None, user: User, now: datetime) -> None:
    """Say whose the model of a version is, all its versions with it; None: nobody's.

    Raises:
        NotAllowed: the member of staff may not decide about models.
        BudgetRefused: there is no such owner.
    """
    require(user, Right.OPERATE)
    name = ModelVersion.objects.get(pk=version_id).model_name
    found = ModelOwner.objects.filter(pk=owner_id).first() if owner_id else None
    if owner_id and found is None:
        raise BudgetRefused(
            worded_of("owner", "It is %(owner_id)s; there is no such owner.", owner_id=owner_id)
        )
    before = owner_of_model(name)
    model, actor = {"model": hashlib.sha256(name.encode()).hexdigest()}, actor_of(user)
    if found is not None:
        OwnedModel.objects.update_or_create(model_name=name, defaults={"owner": found})
        data = {**model, "owner": str(found.pk)}
        log.append(type="model_owner_set", case=None, now=now, actor=actor, data=data)
    elif OwnedModel.objects.filter(model_name=name).delete()[0]:
        log.append(type="model_owner_removed", case=None, now=now, actor=actor, data=model)
    if before is not None and before != found:
        budget_waits.end_of_model(name=name, owner=before, now=now)


def wait_for_budget(
    *, request: ErasureRequest, run: UnlearningRun, audit: bool, now: datetime
) -> ModelOwner | None:
    """Return for whose budget work of a run that has not begun waits; None where it may begin.

    Args:
        request: the case whose step it is; the wait is written to it.
        run: what would be computed.
        audit: whether it is the training of an audit; else it is the unlearning itself, which
            waits only where its method trains.
        now: when.
    """
    if not (audit or run.method in DEAR):
        return None
    owner = owner_of(run.target)
    if owner is None:
        return None
    # An audit begins no run: the limit of runs is not about it.
    limits = replace(owner.limits, runs=None) if audit else owner.limits
    short = short_of(limits, spent_by(now, owner=owner)[owner.pk])
    if short is None:
        return None
    if BudgetWait.objects.filter(owner=owner, request__runs=run, state=State.LIFTED).exists():
        return None
    if must_begin(run, owner.limits, now):
        budget_waits.note_due(request, owner, short, now)
        return None
    return owner if budget_waits.note_wait(request, owner, short, now) else None


@transaction.atomic
def lift(*, case_id: UUID, reason: str, user: User, now: datetime) -> None:
    """Let all that a case still needs go on whatever its owners spent.

    Raises:
        NotAllowed: the member of staff may not decide about models.
        NotYourDecision: it is their own request.
        BudgetRefused: the case waits for no budget, or the reason is too short or too long.
    """
    require(user, Right.OPERATE)
    request = ErasureRequest.objects.select_for_update().get(pk=case_id)
    four_eyes.check_stranger(request=request, user=user, action="LIFT_BUDGET")
    reason = reason.strip()
    if not LEAST_REASON <= len(reason) <= MOST_REASON:
        raise BudgetRefused(
            worded_of(
                "reason",
                "It has %(count)s characters; allowed are %(least)s to %(most)s.",
                count=len(reason),
                least=LEAST_REASON,
                most=MOST_REASON,
            )
        )
    waits = list(request.budget_waits.select_for_update().filter(state=State.WAITING))
    if not waits:
        raise BudgetRefused(
            worded(
                "Case %(case)s waits for no budget; nothing is to lift.", case=request.reference
            )
        )
    digest = hashlib.sha256(reason.encode()).hexdigest()
    for wait in waits:
        wait.state, wait.ended_at = State.LIFTED, now
        wait.reason, wait.lifted_by = reason, user
        wait.save(update_fields=["state", "ended_at", "reason", "lifted_by"])
        data = {"owner": str(wait.owner_id), "reason": digest}
        log.append(type="budget_lifted", case=case_id, now=now, actor=actor_of(user), data=data)
