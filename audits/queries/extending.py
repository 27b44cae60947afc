"""Whether the time for an answer may still be extended, and why not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audits.models import CaseClock, ErasureRequest
from audits.queries import clocks
from audits.queries.beside import beside
from audits.queries.letter_routes import address_of, postal_address

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
        return f"Case {request.reference} has no statutory deadline to extend."
    return _not_by_law(request, clock, now) or _not_as_it_is(request)


def _not_by_law(request: ErasureRequest, clock: CaseClock, now: datetime) -> str:
    last = clocks.first_limit(clock)
    if beside(request, "extension") is not None:
        return f"Case {request.reference} was extended before; the law lets that be done once."
    if clocks.extended_limit(clock) is None:
        return f"{clocks.regime(clock.regime).name} knows no extension for {request.reference}."
    if clocks.today(now) > last:
        return (
            f"The person had to be told by {last:%-d %B %Y} that the answer takes longer; since "
            f"then {request.reference} cannot be extended. Answer it now."
        )
    return ""


def _not_as_it_is(request: ErasureRequest) -> str:
    if request.status not in EXTENDABLE:
        return (
            f"Case {request.reference} is {request.get_status_display().lower()}; an extension "
            "is for requests that were confirmed and are not answered."
        )
    if not (address_of(request, NOTICE) or postal_address(request)):
        return f"Case {request.reference} has no address to send the notice to."
    return ""
