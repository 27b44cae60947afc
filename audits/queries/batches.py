"""Cases that share one training, and therefore one plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audits.models import DuplicateFinding, ErasureRequest
from audits.queries.conflicts import PLANNED, case_ahead

if TYPE_CHECKING:
    from uuid import UUID

    from django.db.models import QuerySet

S = ErasureRequest.Status


def companions(request: ErasureRequest) -> list[UUID]:
    """Return the other cases that can be planned with one, the earliest accepted first."""
    mates = list(_mates(request).filter(status=S.RESTRICTED).exclude(pk__in=_undecided()))
    while True:
        group = [request.pk, *(one.pk for one in mates)]
        ready = [one for one in mates if not case_ahead(one, besides=group)]
        if len(ready) == len(mates):
            return [one.pk for one in ready]
        mates = ready  # whoever falls out may be ahead of another


def erased_before(request: ErasureRequest) -> ErasureRequest | None:
    """Return a case of the same batch that destroys what they share before this one does."""
    at_work = _mates(request).filter(status__in=PLANNED, accepted_at__lt=request.accepted_at)
    return at_work.first()


def _mates(request: ErasureRequest) -> QuerySet[ErasureRequest]:
    if request.batch is None:
        return ErasureRequest.objects.none()
    others = ErasureRequest.objects.filter(batch=request.batch).exclude(pk=request.pk)
    return others.order_by("accepted_at", "pk")


def _undecided() -> QuerySet[DuplicateFinding, UUID]:
    pending = DuplicateFinding.objects.filter(decision=DuplicateFinding.Decision.PENDING)
    return pending.values_list("request_id", flat=True)
