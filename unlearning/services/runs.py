"""Queue, start, finish, judge and escalate runs. States: ``unlearning/models.py``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction
from pyroaring import BitMap

from lineage.core import bitmaps
from lineage.core.worded import worded
from unlearning.core.planning.ways import Way
from unlearning.models import UnlearningRun
from unlearning.queries import privacy
from unlearning.queries.histories import seconds_of_training

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

    from lineage.models import ModelVersion, OrdinalSpace
    from unlearning.models import Tuning

S = UnlearningRun.Status
EXACT = "EXACT"
CERTIFIED = "CERTIFIED"
APPROXIMATE = "APPROXIMATE"
RETRAIN = "retrain"
REPLAY = "replay"
DECREMENT = "decrement"
DESTROY = "destroy"
OUTSIDE = "retrain_outside"
NO_ACTION = privacy.NO_ACTION
NEWTON = "certified_newton"
# The method that carries out each way of the planner; the others are not offered here yet.
CARRIED_OUT_BY = {
    Way.DECREMENT: DECREMENT,
    Way.REWIND: REPLAY,
    Way.SHARD_REBUILD: REPLAY,
    Way.RETRAIN: RETRAIN,
    Way.NO_ACTION: NO_ACTION,
    Way.NEWTON: NEWTON,
}
_WEAKEST_FIRST = (APPROXIMATE, CERTIFIED)


class RunNotWaiting(Exception):
    """The run does not wait for a decision."""


def queue_run(  # noqa: PLR0913  (the fields of a run)
    *,
    target: ModelVersion,
    space: OrdinalSpace,
    forget: BitMap,
    method: str,
    hyperparameters: Mapping[str, Any],
    seed: int,
    waiting: bool,
    now: datetime,
    escalated_from: UnlearningRun | None = None,
    tuning: Tuning | None = None,
    weighed: Mapping[str, Any] | None = None,
) -> UnlearningRun:
    """Record the intention to unlearn; nothing is computed yet.

    ``weighed`` is what the planner said of every way, where it was asked.
    """
    return UnlearningRun.objects.create(
        target=target,
        method=method,
        hyperparameters=dict(hyperparameters),
        tuning=tuning,
        weighed=dict(weighed or {}),
        seed=seed,
        space=space,
        forget_bitmap=forget.serialize(),
        forget_count=len(forget),
        forget_digest=bitmaps.digest(forget),
        status=S.WAITING if waiting else S.QUEUED,
        escalated_from=escalated_from,
        retrain_seconds_predicted=seconds_of_training(target),
        created_at=now,
    )


def forget_of(run: UnlearningRun) -> BitMap:
    """Return the forget set of a run."""
    return BitMap.deserialize(bytes(run.forget_bitmap))


def start_run(*, run_id: UUID) -> bool:
    """Mark a queued run as running. A run found RUNNING is one whose child died: it goes on."""
    UnlearningRun.objects.filter(pk=run_id, status=S.QUEUED).update(status=S.RUNNING)
    return UnlearningRun.objects.filter(pk=run_id, status=S.RUNNING).exists()


def finish_run(
    *,
    run_id: UUID,
    unlearned: ModelVersion | None,
    guarantee: str,
    report: Mapping[str, Any],
    seconds: float,
    now: datetime,
) -> bool:
    """Record the result of a running run; False when it was recorded before."""
    return bool(
        UnlearningRun.objects.filter(pk=run_id, status=S.RUNNING).update(
            status=S.SUCCEEDED,
            unlearned=unlearned,
            guarantee=guarantee,
            report=dict(report),
            seconds=seconds,
            ended_at=now,
        )
    )


def fail_run(*, run_id: UUID, code: str, message: str, now: datetime) -> bool:
    """Record why a run failed; False when it had ended already."""
    return bool(
        UnlearningRun.objects.filter(pk=run_id, status__in=[S.QUEUED, S.RUNNING]).update(
            status=S.FAILED, error_code=code[:64], error=message[:2000], ended_at=now
        )
    )


def left_alone(run: UnlearningRun) -> bool:
    """Return whether a run settled its version by leaving it as it is."""
    return run.method == NO_ACTION and run.status == S.CLEARED and not hasattr(run, "escalated_to")


def requeue_run(*, run_id: UUID) -> bool:
    """Queue a failed run again."""
    return bool(
        UnlearningRun.objects.filter(pk=run_id, status=S.FAILED).update(
            status=S.QUEUED, error_code="", error="", ended_at=None
        )
    )


def ask_about_run(*, run_id: UUID) -> bool:
    """Let staff decide about a run that cannot be carried out; False when it is over."""
    stopped = [S.QUEUED, S.RUNNING, S.FAILED]
    return bool(
        UnlearningRun.objects.filter(
            pk=run_id, status__in=stopped, unlearned=None, escalated_to=None
        ).update(status=S.WAITING, error_code="", error="", ended_at=None)
    )


def set_aside(*, run_id: UUID) -> bool:
    """Stop trying to audit a result, which then counts as not cleared; False when it is over."""
    ended = UnlearningRun.objects.filter(pk=run_id, status=S.SUCCEEDED, escalated_to=None)
    return bool(ended.exclude(method=DESTROY).update(status=S.REJECTED))


def judge_run(*, run_id: UUID, cleared: bool) -> bool:
    """Record what the audit concluded of a run; False when it was judged before."""
    status = S.CLEARED if cleared else S.REJECTED
    return bool(UnlearningRun.objects.filter(pk=run_id, status=S.SUCCEEDED).update(status=status))


def reopen_run(*, run_id: UUID) -> bool:
    """Take back that a run was cleared, as what was rebuilt on its result was not."""
    return bool(
        UnlearningRun.objects.filter(pk=run_id, status=S.CLEARED).update(status=S.REJECTED)
    )


def set_interim(*, run_id: UUID, version: ModelVersion) -> None:
    """Say what serves in the place of the target until the run and its audit are over."""
    UnlearningRun.objects.filter(pk=run_id).update(interim=version)


def set_base(*, run_id: UUID, base: ModelVersion) -> None:
    """Say on which unlearned version a child is rebuilt."""
    UnlearningRun.objects.filter(pk=run_id, status=S.QUEUED).update(base=base)


@transaction.atomic
def escalate_run(*, run_id: UUID, seed: int, now: datetime) -> UnlearningRun:
    """Queue exact retraining in place of a run that was not cleared or failed; once."""
    run = UnlearningRun.objects.select_for_update().get(pk=run_id)
    following = UnlearningRun.objects.filter(escalated_from=run).first()
    return following or queue_run(
        target=run.target,
        space=run.space,
        forget=forget_of(run),
        method=RETRAIN,
        hyperparameters={},
        seed=seed,
        waiting=False,
        now=now,
        escalated_from=run,
    )


def decide_destroy(*, run_id: UUID) -> None:
    """Choose destruction for a version that cannot be trained again.

    Raises:
        RunNotWaiting: the run does not wait for a decision.
    """
    if not UnlearningRun.objects.filter(pk=run_id, status=S.WAITING).update(
        method=DESTROY, status=S.QUEUED
    ):
        raise RunNotWaiting(worded("Run %(run_id)s does not wait for a decision.", run_id=run_id))


def decide_outside(*, run_id: UUID, replacement: ModelVersion, now: datetime) -> None:
    """Accept a version that was retrained outside; its captured membership was checked.

    Raises:
        RunNotWaiting: the run does not wait for a decision.
    """
    if not UnlearningRun.objects.filter(pk=run_id, status=S.WAITING).update(
        method=OUTSIDE,
        status=S.SUCCEEDED,
        unlearned=replacement,
        guarantee=EXACT,
        seconds=0.0,
        report={"claim": "retrained outside; the same recipe is not claimed"},
        ended_at=now,
    ):
        raise RunNotWaiting(worded("Run %(run_id)s does not wait for a decision.", run_id=run_id))


def weaker(guarantee: str, base: str) -> str:
    """Return the weaker of two guarantees; a base without one was never unlearned."""
    return next((weak for weak in _WEAKEST_FIRST if weak in (guarantee, base)), guarantee)
