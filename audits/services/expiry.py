"""Destroy what audits hold of people and no closing case has purged: its time to live is over.

A case that failed or is on hold does not close by itself, and what its audits learned would stay.
Every step may be taken again after a crash and finds what is done already.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import transaction

from audits.models import OperatorCase, ScoredRecord, ShadowResult
from audits.queries import cases
from audits.queries.policy_values import in_force
from audits.services import log, verdicts
from audits.services.score_salts import destroy_salts
from lineage.models import ModelVersion
from lineage.services import versions
from unlearning.models import UnlearningRun
from unlearning.services import canaries

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID


def expire_shadows(*, now: datetime) -> int:
    """Destroy the shadow models of every run whose first one has expired; return how many runs.

    All of a run go together, so that no verdict is ever drawn from a part of them. A run that had
    none yet ends as inconclusive, which is on record and never a pass: its version is trained
    again once the case goes on.
    """
    due = ShadowResult.objects.filter(version__expires_at__lte=now)
    runs = list(due.order_by("run").values_list("run", flat=True).distinct())
    for run_id in runs:
        _expire_run(run_id, now)
    _destroy_forsaken(now)
    canaries.destroy_forsaken()
    return len(runs)


@transaction.atomic
def _expire_run(run_id: UUID, now: datetime) -> None:
    run = UnlearningRun.objects.select_for_update().get(pk=run_id)  # as whoever keeps a row of it
    rows = ShadowResult.objects.filter(run=run)
    count = rows.count()
    if not count:
        return
    served = cases.cases_of_run(run_id)
    by_case = served.values_list("pk", flat=True).first()
    for shadow in ModelVersion.objects.filter(pk__in=rows.values("version")):
        versions.destroy_version(version=shadow, by_case=by_case, now=now)
    destroy_salts(run_ids=[run_id])
    rows.delete()
    data = {"run": str(run_id), "count": count, "remaining": rows.count()}
    for request in served:
        log.append(type="shadows_expired", case=request.pk, now=now, data=data)
    verdicts.not_computed(run_id=run_id, reason=_reason(count, now), now=now)


def _reason(count: int, now: datetime) -> str:
    return (
        f"not computed: the {count} shadow models of this audit expired before there was a "
        f"verdict, and were destroyed with their scores on {now:%Y-%m-%d}."
    )


def _destroy_forsaken(now: datetime) -> None:
    """Destroy expired shadow models that no row of scores leads to any more."""
    for shadow in ModelVersion.objects.filter(
        kind=ModelVersion.Kind.SHADOW, expires_at__lte=now
    ).exclude(state=ModelVersion.State.DESTROYED):
        with transaction.atomic():
            versions.destroy_version(version=shadow, by_case=None, now=now)
            log.append(
                type="version_withdrawn",
                case=None,
                now=now,
                data={"version": str(shadow.pk)},
                once=f"expired:{shadow.pk}",
            )


def expire_scores(*, now: datetime) -> int:
    """Delete what operator's cases measured of single records so long ago; return how many cases.

    What was chosen because of it stays: a set of ordinals, and how it was found.
    """
    before = now - timedelta(days=in_force("SHADOW_DAYS"))
    scored = ScoredRecord.objects.filter(case__request__received_at__lte=before)
    due = list(OperatorCase.objects.filter(pk__in=scored.values("case")))
    for case in due:
        with transaction.atomic():
            rows = ScoredRecord.objects.filter(case=case)
            count, _ = rows.delete()
            log.append(
                type="scores_expired",
                case=case.pk,
                now=now,
                data={"count": count, "remaining": rows.count()},
            )
    return len(due)
