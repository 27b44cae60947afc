"""The rows which say that a case waits for the budget of an owner, and their end.

What a person lifted stays lifted: nothing here changes it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from audits.models import BudgetWait, ErasureRequest
from audits.services import log

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime
    from uuid import UUID

    from django.db.models import QuerySet

    from audits.models import ModelOwner

State = BudgetWait.State


@transaction.atomic
def note_wait(request: ErasureRequest, owner: ModelOwner, short: str, now: datetime) -> bool:
    """Note that a limit keeps a case waiting; return False where somebody lifted it meanwhile."""
    row = _locked(request, owner)
    if row is not None and row.state in (State.WAITING, State.LIFTED):
        return row.state == State.WAITING
    _begin(request, owner, short, now)
    return True


@transaction.atomic
def note_due(request: ErasureRequest, owner: ModelOwner, short: str, now: datetime) -> None:
    """Note that a case goes on though a limit is reached, as it can wait no longer."""
    row = _locked(request, owner)
    if row is not None and row.state in (State.DUE, State.LIFTED):
        return
    if row is None or row.state != State.WAITING:
        _begin(request, owner, short, now)
    _end(BudgetWait.objects.filter(request=request, owner=owner), State.DUE, now)


@transaction.atomic
def end_waits(*, case_id: UUID, now: datetime, besides: Collection[UUID] = ()) -> None:
    """End what a case waits for, but for the owners ``besides``."""
    waits = BudgetWait.objects.filter(request_id=case_id).exclude(owner_id__in=list(besides))
    _end(waits, State.FREE, now)


@transaction.atomic
def end_of_model(*, name: str, owner: ModelOwner, now: datetime) -> None:
    """End the waits of cases for an owner whose model is not theirs any more.

    A case that needs another model of the same owner notes that with its next step.
    """
    runs = BudgetWait.objects.filter(request__runs__target__model_name=name).values("pk")
    _end(BudgetWait.objects.filter(owner=owner, pk__in=runs), State.FREE, now)


def _locked(request: ErasureRequest, owner: ModelOwner) -> BudgetWait | None:
    """Return the row as it is while the case is locked: one step, one lift at a time."""
    ErasureRequest.objects.select_for_update().get(pk=request.pk)
    return BudgetWait.objects.filter(request=request, owner=owner).first()


def _begin(request: ErasureRequest, owner: ModelOwner, short: str, now: datetime) -> None:
    BudgetWait.objects.update_or_create(
        request=request,
        owner=owner,
        defaults={"code": short, "state": State.WAITING, "since": now, "ended_at": None},
    )
    data = {"owner": str(owner.pk), "limit": str(short)}
    log.append(type="budget_reached", case=request.pk, now=now, data=data)


def _end(waits: QuerySet[BudgetWait], state: str, now: datetime) -> None:
    for wait in waits.filter(state=State.WAITING):
        still = BudgetWait.objects.filter(pk=wait.pk, state=State.WAITING)
        if still.update(state=state, ended_at=now):
            data = {"owner": str(wait.owner_id), "reason": str(state)}
            log.append(type="budget_wait_ended", case=wait.request_id, now=now, data=data)
