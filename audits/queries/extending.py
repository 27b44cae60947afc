"""Whether the time for an answer may still be extended, and why not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audits.models import CaseClock, ErasureRequest
from audits.queries import clocks
from audits.queries.beside import beside
from audits.queries.letter_routes import address_of, postal_address
from lineage.core.worded import long_day, worded

if TYPE_CHECKING:
    from datetime import datetime

NOTICE = "EXTENSION"  # the letter
S = ErasureRequest.Status
EXTENDABLE = (
    S.VERIFIED,
    S.INFO_ASKED,
    S.ACCEPTED,
    S.RESTRICTED,
    S.PLANNED,
    S.UNLEARNING,
    S.AUDITING,
    S.ERASED,
    S.ON_HOLD,
    S.FAILED,
)


def why_not(request: ErasureRequest, now: datetime) -> str:
    """Return why a case cannot be extended; empty if it can."""
    clock = clocks.clock_of(request)
    if clock is None:
        return worded("Case %(case)s has no statutory deadline to extend.", case=request.reference)
    return _not_by_law(request, clock, now) or _not_as_it_is(request)


def _not_by_law(request: ErasureRequest, clock: CaseClock, now: datetime) -> str:
    last = clocks.first_limit(clock)
    if beside(request, "extension") is not None:
        return worded(
            "Case %(case)s was extended before; the law lets that be done once.",
            case=request.reference,
        )
    if clocks.extended_limit(clock) is None:
        return worded(
            "%(law)s knows no extension for %(case)s.",
            law=worded(clocks.regime(clock.regime).name),
            case=request.reference,
        )
    if clocks.today(now) > last:
        return worded(
            "The person had to be told by %(day)s that the answer takes longer; since then "
            "%(case)s cannot be extended. Answer it now.",
            day=long_day(last),
            case=request.reference,
        )
    return ""


def _not_as_it_is(request: ErasureRequest) -> str:
    if request.status not in EXTENDABLE:
        return worded(
            "Case %(case)s is %(state)s; an extension is for requests that were confirmed "
            "and are not answered.",
            case=request.reference,
            state=request.get_status_display().lower(),
        )
    if not (address_of(request, NOTICE) or postal_address(request)):
        return worded(
            "Case %(case)s has no address to send the notice to.", case=request.reference
        )
    return ""
