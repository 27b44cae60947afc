"""Whether this installation is alive, and whether it can answer; nobody needs a key for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from django.db import DatabaseError
from django.utils import timezone
from ninja import Router, Schema

from lineage.queries.backlog import backlog
from lineage.services.missing_erasures import replay_needed

if TYPE_CHECKING:
    from django.http import HttpRequest

router = Router(tags=["health"])


class NotReady(Exception):
    """The installation cannot answer at this moment."""


ERRORS: dict[type[Exception], int] = {NotReady: 503}


class AliveOut(Schema):
    """The process answers."""

    status: Literal["alive"] = "alive"


class ReadyOut(Schema):
    """The database answers; how much work waits, and for how long."""

    status: Literal["ready"] = "ready"
    jobs_queued: int
    jobs_running: int
    oldest_queued_seconds: float | None


@router.get("/live", response=AliveOut, operation_id="alive")
def alive(request: HttpRequest) -> AliveOut:
    """Say that the process answers."""
    return AliveOut()


@router.get("", response=ReadyOut, operation_id="ready")
def ready(request: HttpRequest) -> ReadyOut:
    """Say that calls can be answered, and how much work waits."""
    try:
        if replay_needed():
            raise NotReady("This site was restored from a backup: run manage.py replay_erasures.")
        found = backlog(timezone.now())
    except DatabaseError as error:
        raise NotReady("The database does not answer.") from error
    return ReadyOut(
        jobs_queued=found.queued,
        jobs_running=found.running,
        oldest_queued_seconds=found.oldest_seconds,
    )
