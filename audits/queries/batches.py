"""Cases that share one training, and therefore one plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audits.models import DuplicateFinding, ErasureRequest
from audits.queries.conflicts import PLANNED, accepted_before, case_ahead
from lineage.models import Job
from unlearning.models import UnlearningRun

if TYPE_CHECKING:
    from uuid import UUID

    from django.db.models import QuerySet

S = ErasureRequest.Status
AT_WORK = (Job.Status.QUEUED, Job.Status.RUNNING)


def companions(request: ErasureRequest) -> list[UUID]:
    """Return the other cases that can be planned with one, the earliest accepted first."""
    mates = list(_mates(request).filter(status=S.RESTRICTED).exclude(pk__in=_undecided()))
    while True:
        group = [request.pk, *(one.pk for one in mates)]
        ready = [one for one in mates if not case_ahead(one, besides=group)]
        if len(ready) == len(mates):
            return [one.pk for one in ready]
        mates = ready  # whoever falls out may be ahead of another


def planned_by_another(request: ErasureRequest) -> bool:
    """Return whether an earlier case of its batch is still to be planned, and takes it along.

    Asked first, as it is one look, and a batch may have thousands of cases.
    """
    ready = _mates(request).filter(accepted_before(request), status=S.RESTRICTED)
    return ready.exclude(pk__in=_undecided()).exists()


def erased_before(request: ErasureRequest) -> ErasureRequest | None:
    """Return a case of the same batch that destroys what they share before this one does.

    One of them at a time, the earliest accepted of those that are through with their runs first.
    """
    for other in _mates(request).filter(status__in=PLANNED):
        erasing = Job.objects.filter(payload_id=other.pk, kind="ERASE", status__in=AT_WORK)
        if erasing.exists() or (_accepted(other) < _accepted(request) and not _unsettled(other)):
            return other
    return None


def _accepted(case: ErasureRequest) -> tuple[str, UUID]:
    return case.accepted_at.isoformat() if case.accepted_at else "", case.pk


def _unsettled(case: ErasureRequest) -> bool:
    return (
        case.runs.exclude(status=UnlearningRun.Status.CLEARED).filter(escalated_to=None).exists()
    )


def _mates(request: ErasureRequest) -> QuerySet[ErasureRequest]:
    if request.batch is None:
        return ErasureRequest.objects.none()
    others = ErasureRequest.objects.filter(batch=request.batch).exclude(pk=request.pk)
    return others.order_by("accepted_at", "pk")


def _undecided() -> QuerySet[DuplicateFinding, UUID]:
    pending = DuplicateFinding.objects.filter(decision=DuplicateFinding.Decision.PENDING)
    return pending.values_list("request_id", flat=True)
