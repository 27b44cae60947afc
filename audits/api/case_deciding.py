"""Decide an objection and take longer, in the name of a member of staff whom a key acts for.

What follows from an objection is a proposal, which somebody else approves on the pages of staff.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Literal

from ninja import Field, Router, Schema, Status

from audits import workflow
from audits.api.case_work import WRITE, DecisionOut, decision_out, staff_of
from audits.models import ExtensionDecision
from audits.queries.cases_by_key import case_for
from audits.services.extensions import LEAST_REASON, ExtensionRefused, ExtensionUnexplained
from audits.services.reasons import ReasonTooShort
from lineage.api.auth import Scope, key_of
from lineage.api.conventions import BY_KEY, writes

if TYPE_CHECKING:
    from django.http import HttpRequest

router = Router(auth=Scope(WRITE), tags=["cases"])

ERRORS: dict[type[Exception], int] = {
    ExtensionRefused: 409,
    ExtensionUnexplained: 422,
    ReasonTooShort: 422,
}
Text = Annotated[str, Field(max_length=4000)]


class ObjectionIn(Schema):
    """How the balance of Art. 21(1) was decided. The person reads ``balance``."""

    result: Literal["UPHELD", "OVERRULED"]
    balance: Text


class ExtensionIn(Schema):
    """Why the answer takes longer (Art. 12(3)). The person reads ``text``."""

    reason: Literal["COMPLEXITY", "NUMBER"]
    text: str = Field(min_length=LEAST_REASON, max_length=4000)


class ExtensionOut(Schema):
    """An extension. ``new_due`` counts from the moment that the person was told, if in time."""

    reason: str
    decided_at: datetime
    new_due: date
    told_at: datetime | None


@router.post(
    "/{reference}/objection",
    response={201: DecisionOut},
    operation_id="decide_objection",
    openapi_extra=writes(BY_KEY),
)
def decide_objection(
    request: HttpRequest, reference: str, said: ObjectionIn
) -> Status[DecisionOut]:
    """Record the balance of an objection and propose what follows: to erase, or to refuse."""
    case = case_for(key_of(request), reference, WRITE)
    made = workflow.decide_objection(
        case_id=case.pk,
        upheld=said.result == "UPHELD",
        text=said.balance,
        user=staff_of(request),
    )
    return Status(201, decision_out(made))


@router.post(
    "/{reference}/extension",
    response={201: ExtensionOut},
    operation_id="extend_case",
    openapi_extra=writes(BY_KEY),
)
def extend(request: HttpRequest, reference: str, said: ExtensionIn) -> Status[ExtensionOut]:
    """Decide that the answer takes longer, and tell the person; once for each case."""
    case = case_for(key_of(request), reference, WRITE)
    user = staff_of(request)
    workflow.extend(case_id=case.pk, code=said.reason, text=said.text, user=user)
    made = ExtensionDecision.objects.get(request=case)
    return Status(
        201,
        ExtensionOut(
            reason=made.reason_code,
            decided_at=made.decided_at,
            new_due=made.new_due,
            told_at=made.notice_sent_at,
        ),
    )
