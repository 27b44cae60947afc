"""Where OpenLineage clients post: with ``OPENLINEAGE_URL`` alone they find these addresses."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.utils import timezone
from ninja import Router, Schema, Status

from lineage.api.auth import Scope
from lineage.api.conventions import HARMLESS, JSON, writes
from lineage.api.finite import NotFinite, check_finite
from lineage.api.sizes import TooLarge, check_size
from lineage.core.openlineage import EventUnreadable
from lineage.services.openlineage import RunTaken, SpaceUnknown, VersionTaken, receive
from lineage.services.snapshots import OrdinalsUnknown

if TYPE_CHECKING:
    from django.http import HttpRequest

router = Router(auth=Scope("lineage:write"), tags=["openlineage"])


_REFUSED = (NotFinite, EventUnreadable, SpaceUnknown, OrdinalsUnknown, RunTaken, VersionTaken)
ERRORS: dict[type[Exception], int] = {
    TooLarge: 413,
    EventUnreadable: 422,
    SpaceUnknown: 422,
    OrdinalsUnknown: 422,
    RunTaken: 409,
    VersionTaken: 409,
}


class TakenOut(Schema):
    """``new`` is false for an event that came before, or says nothing about a run."""

    new: bool


class FailedOut(Schema):
    """An event of a batch that was refused; the others were taken."""

    index: int
    reason: str
    retriable: bool = False


class SummaryOut(Schema):
    """How many events came and what became of them."""

    received: int
    successful: int
    failed: int


class BatchOut(Schema):
    """What became of a batch, in the form of the specification."""

    status: str
    summary: SummaryOut
    failed_events: list[FailedOut]


def _taken(kind: str) -> dict[str, Any]:
    content = {JSON: {"schema": {"type": kind}}}
    return writes(HARMLESS, requestBody={"required": True, "content": content})


@router.post(
    "/lineage",
    response={201: TakenOut},
    operation_id="take_event",
    openapi_extra=_taken("object"),
)
def lineage(request: HttpRequest) -> Status[dict[str, bool]]:
    """Take one event: of a run, a job or a data set."""
    return Status(201, {"new": _received(_body(request))})


@router.post(
    "/lineage/batch",
    response={200: BatchOut},
    operation_id="take_events",
    openapi_extra=_taken("array"),
)
def batch(request: HttpRequest) -> dict[str, Any]:
    """Take many events; those that cannot be taken are named, all others are kept."""
    events = _body(request)
    if not isinstance(events, list):
        raise EventUnreadable("A batch is a JSON array of events.")
    failed = [
        {"index": index, "reason": reason, "retriable": False}
        for index, event in enumerate(events)
        if (reason := _refusal(event))
    ]
    return {
        "status": "partial_success" if failed else "success",
        "summary": {
            "received": len(events),
            "successful": len(events) - len(failed),
            "failed": len(failed),
        },
        "failed_events": failed,
    }


def _refusal(event: Any) -> str:  # noqa: ANN401  (JSON)
    try:
        _received(event)
    except _REFUSED as error:
        return str(error)
    return ""


def _received(event: Any) -> bool:  # noqa: ANN401  (JSON)
    check_finite(event=event)
    return receive(body=event, now=timezone.now())


def _body(request: HttpRequest) -> Any:  # noqa: ANN401  (JSON)
    check_size(
        request,
        "EXPUNGE_LINEAGE_MAX_MB",
        "request",
        hint=" Send events one by one, or ask for a larger setting.",
    )
    try:
        # Not ``request.body``, of which Django takes 2.5 MB at most.
        return json.loads(request.read())
    except RecursionError as error:
        raise EventUnreadable("The request is nested too deeply.") from error
    except ValueError as error:
        raise EventUnreadable("The request is not JSON.") from error
