"""Whether the clock of a case may stand still, and why not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audits.core.regimes import PauseReason
from audits.models import ErasureRequest
from audits.queries import clocks
from audits.queries.policy_values import in_force, source_of
from lineage.core.worded import long_day, worded

if TYPE_CHECKING:
    from datetime import datetime

    from audits.models import CaseClock

S = ErasureRequest.Status
OVER = (S.SEALED, S.REFUSED, S.WITHDRAWN, S.EXPIRED)


def why_not(request: ErasureRequest, reason: str, now: datetime) -> str:
    """Return why the clock of a case does not pause for a reason; empty if it may."""
    clock = clocks.clock_of(request)
    if clock is None:
        return worded("Case %(case)s has no statutory deadline to pause.", case=request.reference)
    return (
        _not_by_law(request, clock, reason)
        or _not_as_it_is(request, now)
        or _not_without_question(request, reason)
    )


def _not_by_law(request: ErasureRequest, clock: CaseClock, reason: str) -> str:
    if not in_force("IDENTITY_PAUSE"):
        return worded(
            "The clock of %(case)s does not pause: %(setting)s is off, and the time runs "
            "from receipt. Ask the person all the same, and answer in time.",
            case=request.reference,
            setting=source_of("IDENTITY_PAUSE"),
        )
    law = clocks.regime(clock.regime)
    if reason in law.pauses:
        return ""
    if not law.pauses:
        return worded(
            "The clock of %(case)s does not pause for %(reason)s under %(law)s; it knows no"
            " pause.",
            case=request.reference,
            reason=repr(reason),
            law=worded(law.name),
        )
    return worded(
        "The clock of %(case)s does not pause for %(reason)s under %(law)s; allowed are "
        "%(allowed)s.",
        case=request.reference,
        reason=repr(reason),
        law=worded(law.name),
        allowed=", ".join(law.pauses),
    )


def _not_as_it_is(request: ErasureRequest, now: datetime) -> str:
    if request.status == S.RECEIVED:
        return worded(
            "Case %(case)s was not confirmed by the person; nothing was asked of them.",
            case=request.reference,
        )
    if request.status in OVER:
        return worded(
            "Case %(case)s is %(state)s; its clock has stopped.",
            case=request.reference,
            state=request.get_status_display().lower(),
        )
    if request.due_on is not None and clocks.today(now) > request.due_on:
        return worded(
            "The answer to %(case)s was due on %(day)s; a clock that has run out does not pause.",
            case=request.reference,
            day=long_day(request.due_on),
        )
    return ""


def _not_without_question(request: ErasureRequest, reason: str) -> str:
    if reason != PauseReason.IDENTITY or request.status == S.INFO_ASKED:
        return ""
    return worded(
        "Case %(case)s does not wait for the person; its clock pauses only while a question "
        "about who they are is open. Ask them first.",
        case=request.reference,
    )
