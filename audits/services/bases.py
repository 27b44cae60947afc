"""The base of a child: what it is trained again from, and whether the case has settled that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Q

from audits.services import log
from audits.services.evidence import log_failure
from lineage.models import ModelVersion
from lineage.queries.sources import base_of
from unlearning.models import UnlearningRun
from unlearning.services import runs

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

R = UnlearningRun.Status
NO_BASE = "NO_BASE"


@transaction.atomic
def prepare_run(*, run_id: UUID, case_id: UUID, now: datetime) -> bool:
    """Log the start of a run, and give a child the base that it is trained again from.

    False where there is no base any more from which a child could be: then staff decide about it.
    """
    run = UnlearningRun.objects.get(pk=run_id)
    base = base_for(run, case_id)
    if run.method == runs.RETRAIN and base_of(run.target) and not _can_start_from(base):
        if runs.ask_about_run(run_id=run_id):
            log_failure(run_id, NO_BASE, now)
        return False
    log.append(
        type="run_started",
        case=case_id,
        now=now,
        data={"run": str(run_id), "attempt": 1},
        once=f"start:{case_id}:{run_id}",
    )
    if base and run.base_id != base.pk:
        runs.set_base(run_id=run_id, base=base)
    return True


def waits_for_base(run: UnlearningRun, case_id: UUID) -> bool:
    """Return whether a run that has not ended needs a base that the case has yet to settle."""
    if run.status not in (R.QUEUED, R.RUNNING) or run.method == runs.DESTROY:
        return False
    about = UnlearningRun.objects.filter(requests=case_id, target=base_of(run.target))
    return about.exists() and not about.filter(status=R.CLEARED).exists()


def base_for(run: UnlearningRun, case_id: UUID) -> ModelVersion | None:
    """Return the base of a run's target, or what stands in for it since the case unlearned it.

    None where there was none, or the case destroyed it.
    """
    base = base_of(run.target)
    if base is None:
        return None
    about = UnlearningRun.objects.filter(requests=case_id, target=base)
    if not about.exists():
        return base
    cleared = about.filter(status=R.CLEARED).select_related("unlearned").first()
    if cleared and cleared.method == runs.NO_ACTION:
        return base
    return cleared.unlearned if cleared else None


def _can_start_from(base: ModelVersion | None) -> bool:
    """Return whether a base can be loaded."""
    return bool(base and base.generated_by.recipe and base.state != ModelVersion.State.DESTROYED)


@transaction.atomic
def reopen_base(*, run_id: UUID, case_id: UUID) -> bool:
    """Take back that the base was cleared on which a child, now rejected, was rebuilt.

    False when the child stands neither on an approximately cleared base of this case nor on one
    that was left alone: then training it again would give the same model.
    """
    run = UnlearningRun.objects.get(pk=run_id)
    below = UnlearningRun.objects.filter(
        Q(unlearned=run.base_id, guarantee=runs.APPROXIMATE)
        | Q(target=run.base_id, method=runs.NO_ACTION, escalated_to=None),
        requests=case_id,
    ).first()
    if run.status != R.REJECTED or run.base_id is None or below is None:
        return False
    return runs.reopen_run(run_id=below.pk) or below.status == R.REJECTED
