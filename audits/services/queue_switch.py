"""Pause queues of jobs and resume them: a right of model operators, and an event of the log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from audits.core.roles import Right
from audits.services import log
from audits.services.actors import actor_of
from audits.services.rights import require
from lineage.services import queues

if TYPE_CHECKING:
    from datetime import datetime

    from django.contrib.auth.models import User


@transaction.atomic
def pause_queue(*, queue: str, user: User | None, now: datetime) -> bool:
    """Have no job of a queue claimed from now on; False when it was paused before.

    Args:
        queue: one of ``lineage/core/queues.py``.
        user: who does it; None for whoever runs commands on the machine.
        now: when.

    Raises:
        NotAllowed: the member of staff may not decide about models.
        QueueUnknown: there is no such queue.
    """
    _may(user)
    changed = queues.pause_queue(queue=queue, user=user, now=now)
    if changed:
        _log("queue_paused", queue, user, now)
    return changed


@transaction.atomic
def resume_queue(*, queue: str, user: User | None, now: datetime) -> bool:
    """Have jobs of a queue claimed again; False when it was not paused. Raises as pausing does."""
    _may(user)
    changed = queues.resume_queue(queue=queue)
    if changed:
        _log("queue_resumed", queue, user, now)
    return changed


def _may(user: User | None) -> None:
    if user is not None:
        require(user, Right.OPERATE)


def _log(kind: str, queue: str, user: User | None, now: datetime) -> None:
    actor = actor_of(user) if user else log.SYSTEM
    log.append(type=kind, case=None, now=now, actor=actor, data={"queue": queue})
