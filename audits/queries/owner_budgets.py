"""Whose a model is, and what was computed for an owner's models: read from the jobs that exist.

A job is one row, however many cases its run serves, and so nothing is counted twice. Counted is
how long a worker was busy with it in its last attempt; what tells no version is nobody's.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from audits.core.budgets import DAY, WINDOW, Short, Spent, busy_seconds, short_of
from audits.models import BudgetWait, ModelOwner, OwnedModel
from audits.queries.conflicts import PLANNED
from lineage.models import Job
from unlearning.models import UnlearningRun

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from django.db.models import QuerySet

    from audits.models import ErasureRequest
    from lineage.models import ModelVersion

COUNTED = ("UNLEARN", "AUDIT", "JUDGE")  # kinds of jobs about one run
J = Job.Status
State = BudgetWait.State


@dataclass(frozen=True, kw_only=True)
class OwnerRow:
    """An owner with what was spent, which limit is reached, and how many cases wait for it."""

    owner: ModelOwner
    spent: Spent
    short: Short | None
    models: Sequence[str]
    waits: Sequence[BudgetWait]


def owner_of(version: ModelVersion) -> ModelOwner | None:
    """Return whose the model of a version is; None where it has no owner."""
    return owner_of_model(version.model_name)


def owner_of_model(name: str) -> ModelOwner | None:
    """Return whose a model is; None where it has no owner."""
    row = OwnedModel.objects.filter(model_name=name).select_related("owner").first()
    return row.owner if row else None


def spent_by(now: datetime, *, owner: ModelOwner | None = None) -> dict[UUID, Spent]:
    """Return what was spent by owner, of one or of all that there are; three queries."""
    models = OwnedModel.objects.all() if owner is None else owner.models.all()
    names = dict(models.values_list("model_name", "owner_id"))
    runs = UnlearningRun.objects.filter(target__model_name__in=names)
    of_run = {pk: names[name] for pk, name in runs.values_list("pk", "target__model_name")}
    spans: dict[UUID, list[tuple[datetime, datetime]]] = defaultdict(list)
    begun: dict[UUID, set[UUID]] = defaultdict(set)
    for job in _jobs(runs, now):
        mine = of_run[job.payload_id]
        if job.started_at and job.status != J.QUEUED:
            spans[mine].append((job.started_at, job.ended_at or now))
        # What is queued begins within the next day for all we know, whenever that was asked.
        under_way = job.status in (J.QUEUED, J.RUNNING)
        lately = job.started_at is not None and job.started_at > now - DAY
        if job.kind == "UNLEARN" and (under_way or lately):
            begun[mine].add(job.payload_id)
    return {
        pk: Spent(seconds=busy_seconds(spans[pk], now), runs=len(begun[pk]))
        for pk in ([owner.pk] if owner else set(names.values()))
    }


def owner_rows(now: datetime) -> list[OwnerRow]:
    """Return every owner with its budget and what is spent of it, by name."""
    spent = spent_by(now)
    owners = ModelOwner.objects.prefetch_related("models").order_by("name")
    waits: dict[UUID, list[BudgetWait]] = defaultdict(list)
    for wait in waiting().select_related("request"):
        waits[wait.owner_id].append(wait)
    return [
        OwnerRow(
            owner=one,
            spent=(has := spent.get(one.pk, Spent())),
            short=short_of(one.limits, has),
            models=sorted(each.model_name for each in one.models.all()),
            waits=waits[one.pk],
        )
        for one in owners
    ]


def waiting() -> QuerySet[BudgetWait]:
    """Return the waits of cases at work that nobody lifted, the longest first."""
    found = BudgetWait.objects.filter(state=State.WAITING, request__status__in=PLANNED)
    return found.order_by("since", "pk")


def waits_now(case: ErasureRequest) -> bool:
    """Return whether a case waits for a budget, which it can only while it is worked on."""
    return case.status in PLANNED and case.budget_waits.filter(state=State.WAITING).exists()


def waits_of(case: ErasureRequest) -> list[BudgetWait]:
    """Return what a case waits for, or went on regardless of, by owner."""
    found = case.budget_waits.exclude(state=State.FREE).select_related("owner", "lifted_by")
    if case.status not in PLANNED:
        found = found.exclude(state=State.WAITING)
    return list(found.order_by("owner__name"))


def _jobs(runs: QuerySet[UnlearningRun], now: datetime) -> QuerySet[Job]:
    found = Job.objects.filter(kind__in=COUNTED, payload_id__in=runs.values("pk"))
    found = found.exclude(ended_at__lt=now - WINDOW)
    return found.only("payload_id", "kind", "status", "created_at", "started_at", "ended_at")
