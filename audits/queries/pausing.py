"""Whether the clock of a case may stand still, and why not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audits.core.regimes import PauseReason
from audits.models import ErasureRequest
from audits.queries import clocks
from audits.queries.policy_values import in_force, source_of

if TYPE_CHECKING:
    from datetime import datetime

    from audits.models import CaseClock

S = ErasureRequest.Status
OVER = (S.SEALED, S.REFUSED, S.WITHDRAWN, S.EXPIRED)


def why_not(request: ErasureRequest, reason: str, now: datetime) -> str:
    """Return why the clock of a case does not pause for a reason; empty if it may."""
    clock = clocks.clock_of(request)
    if clock is None:
        return f"Case {request.reference} has no statutory deadline to pause."
    return (
        _not_by_law(request, clock, reason)
        or _not_as_it_is(request, now)
        or _not_without_question(request, reason)
    )


def _not_by_law(request: ErasureRequest, clock: CaseClock, reason: str) -> str:
    if not in_force("IDENTITY_PAUSE"):
        return (
            f"The clock of {request.reference} does not pause: {source_of('IDENTITY_PAUSE')} is "
            "off, and the time runs from receipt. Ask the person all the same, and answer in time."
        )
    law = clocks.regime(clock.regime)
    if reason in law.pauses:
        return ""
    known = f"allowed are {', '.join(law.pauses)}" if law.pauses else "it knows no pause"
    return (
        f"The clock of {request.reference} does not pause for {reason!r} under {law.name}; "
        f"{known}."
    )


def _not_as_it_is(request: ErasureRequest, now: datetime) -> str:
    if request.status == S.RECEIVED:
        return (
            f"Case {request.reference} was not confirmed by the person; nothing was asked of them."
        )
    if request.status in OVER:
        return (
            f"Case {request.reference} is {request.get_status_display().lower()}; its clock has "
            "stopped."
        )
    if request.due_on is not None and clocks.today(now) > request.due_on:
        return (
            f"The answer to {request.reference} was due on {request.due_on:%-d %B %Y}; a clock "
            "that has run out does not pause."
        )
    return ""


def _not_without_question(request: ErasureRequest, reason: str) -> str:
    if reason != PauseReason.IDENTITY or request.status == S.INFO_ASKED:
        return ""
    return (
        f"Case {request.reference} does not wait for the person; its clock pauses only while a "
        "question about who they are is open. Ask them first."
    )
