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
    from collections.abc import Collection
    from uuid import UUID

    from django.db.models import QuerySet

    from audits.queries.reached import Hit

S = ErasureRequest.Status
PLANNED = (S.PLANNED, S.UNLEARNING, S.AUDITING)
AT_ONCE = 50  # cases


def case_ahead(
    request: ErasureRequest, *, besides: Collection[UUID] = ()
) -> ErasureRequest | None:
    """Return a case, none of ``besides``, that must end before this one can be planned.

    That is one which shares an affected version and is planned, even if it needs attention; or
    which will be planned first, as it was accepted earlier and waits for nobody's decision and for
    no other case to join it.
    """
    others = ErasureRequest.objects.exclude(pk__in=[request.pk, *besides])
    others = others.order_by("accepted_at", "pk")
    planned, following = _planned(others), _planned_next(others.filter(accepted_before(request)))
    if not (planned.exists() or following.exists()):
        return None
    ours = _versions(reached_by([request.pk]))
    if not ours:
        return None
    return (
        _changing(planned, ours)
        or _reaching(planned.filter(plan={}), ours)
        or _reaching(following, ours)
    )


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
    return found | set(map(str, _versions(reached)))


def accepted_before(request: ErasureRequest) -> Q:
    """Return the condition that a case comes before this one, in the order in which they go."""
    same = Q(accepted_at=request.accepted_at, pk__lt=request.pk)
    return Q(accepted_at__lt=request.accepted_at) | same


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


def _changing(planned: QuerySet[ErasureRequest], ours: set[UUID]) -> ErasureRequest | None:
    """Return the first case that unlearns one of our versions, or put it in the place of one."""
    made = UnlearningRun.objects.filter(Q(target__in=ours) | Q(unlearned__in=ours))
    serving = ErasureRequest.runs.through.objects.filter(unlearningrun__in=made.values("pk"))
    chosen = planned.exclude(plan={}).filter(pk__in=serving.values("erasurerequest"))
    return chosen.first()


def _reaching(cases: QuerySet[ErasureRequest], ours: set[UUID]) -> ErasureRequest | None:
    """Return the first case that restricts what one of our versions learned from.

    Some at a time, as the first few are as a rule enough: there may be tens of thousands.
    """
    found = list(cases.values_list("pk", flat=True))
    for first in range(0, len(found), AT_ONCE):
        for pk, hits in reached_by(found[first : first + AT_ONCE]).items():
            if ours & _versions({pk: hits}):
                return ErasureRequest.objects.get(pk=pk)
    return None


def _versions(reached: dict[UUID, list[Hit]]) -> set[UUID]:
    return {hit.version for hits in reached.values() for hit in hits}
