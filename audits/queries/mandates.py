"""Until when an agent is to show a mandate, and from when a case may end without one."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from audits.core.identity import AGENT_WITHOUT_MANDATE
from audits.models import IdentityCheck, Letter
from audits.queries.clocks import today

if TYPE_CHECKING:
    from datetime import date, datetime

    from audits.models import ErasureRequest

TIME_TO_SHOW = timedelta(days=14)
NOT_GONE = (Letter.State.WAITING, Letter.State.TO_POST)


def mandate_question(request: ErasureRequest) -> IdentityCheck | None:
    """Return the question of a case that asks an agent for the mandate; None before it."""
    asked = [one for one in checks_of(request) if one.doubt == AGENT_WITHOUT_MANDATE]
    return next((one for one in reversed(asked) if one.asked_at), None)


def checks_of(request: ErasureRequest) -> list[IdentityCheck]:
    """Return the questions to a person, then the checks of identity, each as they came."""
    found = request.identity_checks.all()
    return sorted(found, key=lambda one: (not one.asked_at, one.asked_at or one.checked_at))


def until_of(question: IdentityCheck) -> date | None:
    """Return the day by which an agent is asked to show the mandate; None of a mere check."""
    return today(question.asked_at) + TIME_TO_SHOW if question.asked_at else None


def shown_until(request: ErasureRequest) -> date | None:
    """Return the last day on which an agent can still show the mandate.

    It is the day that the letter names, or a later one where the letter left late; None where
    nobody asked, or the letter has not left yet. A letter that cannot be sent puts nothing off.
    """
    question = mandate_question(request)
    if question is None:
        return None
    letter = Letter.objects.filter(request=request, code="INFO_NEEDED").order_by("number").last()
    if letter is None or letter.state in NOT_GONE:
        return None
    named = until_of(question)
    if named is None or letter.sent_at is None:
        return named
    return max(named, today(letter.sent_at) + TIME_TO_SHOW)


def may_close(request: ErasureRequest, now: datetime) -> bool:
    """Return whether an agent's time to show the mandate is over."""
    last = shown_until(request)
    return last is not None and today(now) > last
