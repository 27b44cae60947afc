"""What staff decide about a version that the platform cannot train again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from audits.models import Evidence
from audits.queries import cases
from audits.services import log, verdicts
from audits.services.requests import actor_of
from lineage.models import ModelVersion, Run
from lineage.queries import closure
from unlearning.models import UnlearningRun
from unlearning.services import runs

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from django.contrib.auth.models import User


class ReplacementNotAcceptable(Exception):
    """The proposed version cannot stand in; the sentence says why."""


@transaction.atomic
def decide_destroy(*, run_id: UUID, user: User, now: datetime) -> None:
    """Choose destruction. Raises ``RunNotWaiting`` when there is nothing to decide."""
    runs.decide_destroy(run_id=run_id)
    _log_choice(run_id, user, now)


@transaction.atomic
def decide_outside(*, run_id: UUID, replacement: ModelVersion, user: User, now: datetime) -> None:
    """Accept a version retrained outside whose captured membership excludes the forget set.

    Raises:
        ReplacementNotAcceptable: its membership was not captured, or meets the forget set.
        RunNotWaiting: there is nothing to decide.
    """
    run = UnlearningRun.objects.select_related("space").get(pk=run_id)
    if run.target_id == replacement.pk or replacement.state != ModelVersion.State.ACTIVE:
        raise ReplacementNotAcceptable(
            f"{replacement} cannot stand in for {run.target}: choose another, active version."
        )
    if replacement.generated_by.capture_level == Run.Capture.NONE:
        raise ReplacementNotAcceptable(
            f"The membership of {replacement} was not captured, so nothing shows that it was "
            "trained without these records. Train it again with capture."
        )
    met = closure.affected(run.space, runs.forget_of(run))
    if any(one.version.pk == replacement.pk for one in met.versions):
        raise ReplacementNotAcceptable(
            f"{replacement} learned from at least one of the {run.forget_count} records itself. "
            "Train it on the training view, which no longer serves them."
        )
    runs.decide_outside(run_id=run_id, replacement=replacement, now=now)
    checks = {"membership_captured": True, "forget_set_disjoint": True, "same_recipe": False}
    finding = verdicts.Finding(
        kind=Evidence.Kind.CONSTRUCTION,
        look=0,
        models_per_arm=0,
        payload={"checks": checks, "reasons": []},
        outcome="ERASED_BY_CONSTRUCTION",
        reasons=["Retrained outside; its captured membership excludes the forget set."],
        final=True,
    )
    verdicts.conclude(run_id=run_id, findings=[finding], now=now)
    _log_choice(run_id, user, now)


def _log_choice(run_id: UUID, user: User, now: datetime) -> None:
    run = UnlearningRun.objects.get(pk=run_id)
    data = {
        "run": str(run_id),
        "version": str(run.target_id),
        "method": run.method,
        "forget_count": run.forget_count,
        "forget_digest": run.forget_digest,
    }
    for request in cases.cases_of_run(run_id):
        log.append(type="run_planned", case=request.pk, now=now, data=data, actor=actor_of(user))
