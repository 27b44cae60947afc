"""Where the letters of a case go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audits.models import Intake
from audits.queries.beside import beside

if TYPE_CHECKING:
    from audits.models import ErasureRequest, PersonalDetails

TO_THE_PERSON = ("CONFIRM", "CONFIRM_REMINDER")  # what makes sure who they are


def address_of(request: ErasureRequest, code: str) -> str:
    """Return the e-mail address that a letter goes to: the agent's where that was asked for.

    Empty where nobody can be written to, or a letter on paper is wanted.
    """
    intake: Intake | None = beside(request, "intake")
    if intake is None or code in TO_THE_PERSON:
        return str(request.email)
    if intake.answer_to_agent:
        details: PersonalDetails | None = beside(request, "details")
        return details.agent_contact if details else ""
    return str(request.email) if intake.answer_by == Intake.AnswerBy.EMAIL else ""
