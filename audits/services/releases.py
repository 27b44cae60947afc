"""Show unlearned versions, or hold those that got worse until staff decide."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from django.db import transaction

from audits.core.roles import Right
from audits.models import Release
from audits.queries import cases
from audits.queries.releases import RELEASE_HELD, gate_of, held_before, held_releases
from audits.services import four_eyes, log
from audits.services.actors import actor_of
from audits.services.rights import require
from audits.services.transitions import MoveNotAllowed
from lineage.core.worded import worded
from lineage.services import versions
from unlearning.models import UnlearningRun
from unlearning.queries.histories import may_know_who_waits

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from django.contrib.auth.models import User

    from audits.models import ErasureRequest
    from lineage.models import ModelVersion

logger = logging.getLogger("expunge.cases")


def release_results(*, request: ErasureRequest, now: datetime) -> None:
    """Show the unlearned versions of a case, unless the gate holds them.

    A version that learned from somebody whose records were restricted meanwhile stays out of
    use: it is affected by that person's case, which replaces it. But where some shards of a
    version in use were rebuilt, others may know such people as they did before.
    """
    cleared = request.runs.filter(status=UnlearningRun.Status.CLEARED)
    for run in cleared.exclude(unlearned=None).select_related("unlearned"):
        if run.unlearned is not None:
            _settle(run, run.unlearned, now)


@transaction.atomic
def release_held(*, run_id: UUID, user: User, now: datetime) -> None:
    """Show a version that the gate holds, by decision of staff.

    Raises:
        NotAllowed: the member of staff may not decide about models.
        NotYourDecision: they approved a case that the run serves.
        MoveNotAllowed: it is not held.
        VersionNotReleasable: it must not be used.
    """
    require(user, Right.OPERATE)
    served = list(cases.cases_of_run(run_id).values_list("pk", flat=True))
    four_eyes.check_executor(cases=served, user=user, action="RELEASE")
    release = held_releases().select_for_update(of=("self",)).filter(run=run_id).first()
    if release is None or release.run.unlearned is None:
        raise MoveNotAllowed(
            worded(
                "The result of run %(run)s is not held; there is nothing to decide.",
                run=run_id,
            )
        )
    waiting = may_know_who_waits(release.run)
    versions.release(version=release.run.unlearned, waiting=waiting)
    Release.objects.filter(pk=release.pk).update(
        state=Release.State.RELEASED, decided_by=user, released_at=now
    )
    _log_release(release.run, release.run.unlearned, now, actor_of(user))


def note_stand_in(*, run: UnlearningRun, version: ModelVersion, held: bool, now: datetime) -> None:
    """Log that a version serves in the place of a run's target, or would but for the gate.

    Called in the transaction in which it takes over.
    """
    for request in cases.cases_of_run(run.pk):
        log.append(
            type="version_stood_in",
            case=request.pk,
            now=now,
            data={
                "run": str(run.pk),
                "version": str(version.pk),
                "target": str(run.target_id),
                "release": Release.State.HELD if held else Release.State.RELEASED,
            },
        )
    if held:
        _raise_incident(run, version, now)


@transaction.atomic
def _settle(run: UnlearningRun, result: ModelVersion, now: datetime) -> None:
    if Release.objects.filter(run=run).exists():
        return  # by an earlier try, or by another case that the run serves
    gated = gate_of(run)
    state, reason = Release.State.RELEASED, gated.reason
    before = held_before(run)
    if before and not gated.held:
        reason = f"{run.target}, which it replaces, was held: {before.reason}"
    if gated.held or before:
        state = Release.State.HELD
        _raise_incident(run, result, now)
    else:
        try:
            versions.release(version=result, waiting=may_know_who_waits(run))
        except versions.VersionNotReleasable as refused:
            logger.warning(
                "%s is not released: %s", result, refused, extra={"said": "NOT_RELEASED"}
            )
            state, reason = Release.State.PASSED_OVER, str(refused)
    released_at = now if state == Release.State.RELEASED else None
    Release.objects.create(
        run=run, state=state, reason=reason, created_at=now, released_at=released_at
    )
    if released_at:
        _log_release(run, result, now, log.SYSTEM)


def _raise_incident(run: UnlearningRun, version: ModelVersion, now: datetime) -> None:
    for request in cases.cases_of_run(run.pk):
        log.append(
            type="incident_raised",
            case=request.pk,
            now=now,
            data={"code": RELEASE_HELD},
            once=f"held:{request.pk}:{version.pk}",
        )


def _log_release(run: UnlearningRun, result: ModelVersion, now: datetime, actor: str) -> None:
    for request in cases.cases_of_run(run.pk):
        log.append(
            type="version_released",
            case=request.pk,
            now=now,
            actor=actor,
            data={"run": str(run.pk), "version": str(result.pk)},
            once=f"released:{request.pk}:{run.pk}",
        )
