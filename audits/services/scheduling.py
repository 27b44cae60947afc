"""Let cases that wait for the same training start together, the oldest first."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from django.db import transaction

from audits.models import ErasureRequest, LogHead
from audits.queries.conflicts import case_ahead
from audits.queries.groups import groups
from audits.queries.policy_values import in_force
from audits.queries.reached import Place
from audits.queries.schedule import backlog, days, enough_people, place_of, policy
from audits.queries.waiting import coalesces
from audits.services import log, planning
from audits.services.case_runs import attach
from unlearning.core.scheduling.scheduler import due_job, next_job

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from audits.services.case_runs import PlannedRun
    from unlearning.core.scheduling.backlog import Backlog, Job
    from unlearning.core.scheduling.capacity import Capacity
    from unlearning.models import UnlearningRun

S = ErasureRequest.Status


def start_batches(*, now: datetime) -> list[UUID]:
    """Form the batches that may start now; return their names. Nothing where nobody waits.

    What affects no model waits for no training, and starts at once. Of the others as many start as
    there are idle workers, the oldest first, and whoever can wait no longer, but never two at one
    version: the second would be planned on what the first replaces.
    """
    if not coalesces():
        return []
    found = groups()
    formed = [_form(one.cases, now) for one in found if not one.places]
    trained = {place_of(one): one for one in found if one.places}
    known, capacity = backlog(trained.values(), days(now))
    while job := _next(known, days(now), capacity):
        known.begin(job)
        chosen = trained[Place(job.run, job.shard or 0)]
        formed.append(_form(chosen.cases, now))
        for place, other in trained.items():
            if other.versions & chosen.versions:
                known.set_aside(*place)
    return [one for one in formed if one]


def _next(known: Backlog, now: float, capacity: Capacity) -> Job | None:
    rules, deadline = policy(), in_force("DEADLINE_DAYS")
    first = next_job(known, now, policy=rules, capacity=capacity, deadline=deadline)
    return first or due_job(known, now, policy=rules, capacity=capacity)


@transaction.atomic
def may_go_on(*, group: Sequence[UUID], now: datetime) -> bool:
    """Return whether what is left of a batch is planned now; whoever fell out waits again.

    All wait again where too few people are left.
    """
    lead = ErasureRequest.objects.get(pk=group[0])
    if lead.batch is None or not coalesces():
        return True
    waiting = ErasureRequest.objects.filter(batch=lead.batch, status=S.RESTRICTED)
    waiting.exclude(pk__in=group).update(batch=None)
    if enough_people(list(waiting), days(now)):
        return True
    waiting.update(batch=None)
    return False


@transaction.atomic
def keep_plans(
    *, plans: Mapping[UUID, Mapping[str, Any]], runs: Sequence[PlannedRun], now: datetime
) -> bool:
    """Keep the plans of cases that share runs, all or none; each has the runs of its own plan.

    False when one of them is planned already, waits for staff, or must wait for another case:
    then the plan is drawn again.
    """
    LogHead.objects.select_for_update().get(pk=1)  # as ``keep_plan``: one at a time
    _, *others = plans
    if any(_must_wait(case_id, plans) for case_id in others):
        return False
    made: dict[UUID, UnlearningRun] = {}
    for case_id, plan in plans.items():
        wanted = {row["version"] for row in plan["affected"]}
        mine = [one for one in runs if str(one.version.pk) in wanted]
        fresh = [one for one in mine if one.version.pk not in made]
        if not planning.keep_plan(
            case_id=case_id, plan=plan, runs=fresh, now=now, together=list(plans)
        ):
            return False
        case = ErasureRequest.objects.get(pk=case_id)
        for one in mine:
            if one.version.pk in made:
                attach(case, made[one.version.pk], now)
        made |= {run.target_id: run for run in case.runs.all()}
    return True


def _must_wait(case_id: UUID, plans: Mapping[UUID, object]) -> bool:
    case = ErasureRequest.objects.get(pk=case_id)
    if case.status != S.RESTRICTED or planning.undecided(case_id):
        return True
    return case_ahead(case, besides=list(plans)) is not None


@transaction.atomic
def _form(cases: Sequence[ErasureRequest], now: datetime) -> UUID | None:
    """Let cases be planned together from now on; None where none of them waits any more.

    Since they were found, another sweep may have been there, or a person changed their mind.
    """
    LogHead.objects.select_for_update().get(pk=1)  # one sweep at a time
    waiting = ErasureRequest.objects.filter(status=S.RESTRICTED, batch=None)
    mine = list(waiting.filter(pk__in=[one.pk for one in cases]).values_list("pk", flat=True))
    batch = uuid.uuid4()
    ErasureRequest.objects.filter(pk__in=mine).update(batch=batch)
    for case_id in mine:
        data = {"batch": batch, "cases": len(mine)}
        log.append(type="batch_formed", case=case_id, now=now, data=data)
    return batch if mine else None
