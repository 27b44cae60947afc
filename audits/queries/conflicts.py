"""Cases that would change the same model versions: one after the other.

Two cases at work on one version would each destroy what the other builds on. The later one waits,
its records restricted meanwhile, and is planned on what the earlier one leaves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Q

from audits.models import DuplicateFinding, ErasureRequest
from audits.queries.operator_cases import NO_DEADLINE
from audits.queries.reached import reached_by
from audits.queries.waiting import coalesces
from unlearning.models import UnlearningRun

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from uuid import UUID

    from django.db.models import QuerySet

S = ErasureRequest.Status
PLANNED = (S.PLANNED, S.UNLEARNING, S.AUDITING)


def case_ahead(
    request: ErasureRequest, *, besides: Collection[UUID] = ()
) -> ErasureRequest | None:
    """Return a case, none of ``besides``, that must end before this one can be planned.

    That is one which shares an affected version and is planned, even if it needs attention; or
    which will be planned first, as it was accepted earlier and waits for nobody's decision and for
    no other case to join it.
    """
    ours: set[str] = set()
    for other in _ahead(request, besides):
        ours = ours or affected_now(request)
        if ours & changed_by(other):
            return other
    return None


def taken() -> set[str]:
    """Return the versions at which a case is at work, or will be before any that waits for others.

    For all cases at once what ``case_ahead`` asks of one, whenever it was accepted: what is formed
    while another batch has no plan yet must not touch a version of it.
    """
    planned = _planned(ErasureRequest.objects.all())
    made = UnlearningRun.objects.filter(requests__in=planned.exclude(plan={}))
    found = set(map(str, made.values_list("target", flat=True)))
    found |= set(map(str, made.exclude(unlearned=None).values_list("unlearned", flat=True)))
    without = planned.filter(plan={}), _planned_next(ErasureRequest.objects.all())
    reached = reached_by([pk for cases in without for pk in cases.values_list("pk", flat=True)])
    return found | {str(hit.version) for hits in reached.values() for hit in hits}


def _ahead(request: ErasureRequest, besides: Collection[UUID]) -> Iterator[ErasureRequest]:
    others = ErasureRequest.objects.exclude(pk__in=[request.pk, *besides])
    others = others.order_by("accepted_at", "pk")
    yield from _planned(others)
    earlier = Q(accepted_at__lt=request.accepted_at) | Q(
        accepted_at=request.accepted_at, pk__lt=request.pk
    )
    yield from _planned_next(others.filter(earlier))


def _planned(cases: QuerySet[ErasureRequest]) -> QuerySet[ErasureRequest]:
    """Return the cases that have a plan, even if they need attention."""
    stopped = Q(status=S.FAILED, failed_from__in=PLANNED) | Q(
        status=S.ON_HOLD, held_from__in=PLANNED
    )
    return cases.filter(Q(status__in=PLANNED) | stopped)


def _planned_next(cases: QuerySet[ErasureRequest]) -> QuerySet[ErasureRequest]:
    """Return the cases that wait for nobody's decision and for no other case to join them."""
    undecided = DuplicateFinding.objects.filter(decision=DuplicateFinding.Decision.PENDING)
    kept = ErasureRequest.Kind.RESTRICTION  # which nothing is planned for
    restricted = cases.filter(status=S.RESTRICTED).exclude(kind=kept)
    if coalesces():
        restricted = restricted.filter(Q(batch__isnull=False) | Q(due_rule=NO_DEADLINE))
    return restricted.exclude(pk__in=undecided.values("request_id"))


def changed_by(case: ErasureRequest) -> set[str]:
    """Return the versions that a case unlearns, and what it puts in their place."""
    if not case.plan:
        return affected_now(case)
    made = case.runs.exclude(unlearned=None).values_list("unlearned_id", flat=True)
    return {str(pk) for pk in [*case.runs.values_list("target_id", flat=True), *made]}


def affected_now(case: ErasureRequest) -> set[str]:
    """Return the versions that learned from what a case restricts."""
    return {str(hit.version) for hit in reached_by([case.pk])[case.pk]}
