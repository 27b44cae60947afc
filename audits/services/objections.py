"""Decide an objection: the balance of Art. 21(1), and the decision that follows from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from audits.core.assessment import Assessed, Ground
from audits.core.grounds import OVERRULED
from audits.core.roles import Right
from audits.models import ErasureRequest
from audits.services import balancing, deciding, four_eyes, rights

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from django.contrib.auth.models import User

    from audits.models import Decision

PURPOSE = "What the person objected to"


@transaction.atomic
def decide_objection(
    *, case_id: UUID, upheld: bool, text: str, user: User, now: datetime
) -> Decision:
    """Record the balance and propose what follows: an erasure where upheld, else a refusal.

    Raises:
        NotAllowed, ReasonTooShort: as ``balancing.record_balance``.
        NotYourDecision: it is the request of the member of staff.
        MoveNotAllowed: there is no objection to decide, or a decision is proposed already.
    """
    rights.require(user, Right.HANDLE)
    four_eyes.check_stranger_to(case_id=case_id, user=user, action="DECIDE_OBJECTION")
    balancing.record_balance(case_id=case_id, upheld=upheld, text=text, user=user, now=now)
    if not upheld:
        assessed = Assessed(assessment=text)
        return deciding.refuse_request(
            case_id=case_id, code=OVERRULED, assessed=assessed, user=user, now=now
        )
    ground = Ground(
        code=str(ErasureRequest.Ground.OBJECTION),
        purpose=PURPOSE,
        assessment=text,
        other_ground="No compelling legitimate ground overrides the objection.",
    )
    return deciding.accept_request(
        case_id=case_id, assessed=Assessed(grounds=(ground,)), user=user, now=now
    )
