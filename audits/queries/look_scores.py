"""The scores that a look rests on: of the pool, and of the models for the instance test."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Q

from audits.core.committed_scores import LookScores
from audits.core.instance import InstanceDesign
from audits.models import AuditPlan, Evidence, ShadowResult
from audits.queries.designs import design_of, instances_of

if TYPE_CHECKING:
    from uuid import UUID

    from audits.models import ErasureRequest


def salt_name(run_id: UUID) -> str:
    """Return the name, in the key store, of the salt of a run's commitments."""
    return f"scores:{run_id}"


def look_scores(plan: AuditPlan, look: int) -> LookScores:
    """Return what is stored of the shadow models of a look; of later looks nothing."""
    design, beside = design_of(plan), instances_of(plan)
    alone = isinstance(design, InstanceDesign)
    mine = Q(index__lt=design.models if alone else 2 * plan.policy["looks"][look])
    if beside is not None:
        stop = beside.first + beside.design.models
        mine |= Q(index__gte=beside.first, index__lt=stop)
    rows = ShadowResult.objects.filter(mine, run=plan.run_id).values_list("index", "row")
    return LookScores(run=str(plan.run_id), look=look, rows=dict(rows))


def committed_looks(request: ErasureRequest) -> list[LookScores]:
    """Return the scores of a case's looks that evidence commits to and that are still stored."""
    stored = ShadowResult.objects.filter(run__in=request.runs.all())
    evidence = Evidence.objects.filter(
        Q(request=None) | Q(request=request),
        kind=Evidence.Kind.U_LIRA,
        run__in=stored.values("run"),
        payload__scores__isnull=False,
    )
    plans = AuditPlan.objects.in_bulk(evidence.values_list("run", flat=True).distinct())
    looks = sorted(set(evidence.values_list("run", "look")))
    return [look_scores(plans[run], look) for run, look in looks]
