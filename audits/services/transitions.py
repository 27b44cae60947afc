"""The state machine of a case. Every move is one conditional UPDATE and one event.

Only UNLEARNING and AUDITING have none of their own: the events of the runs tell of them.

* RECEIVED -> VERIFIED: the person opened the confirmation link and pressed the button;
* VERIFIED -> ACCEPTED | REFUSED: staff decided and recorded a ground or a code;
* VERIFIED -> SEALED: nothing is held about the person, or an earlier case already runs;
* ACCEPTED -> RESTRICTED -> PLANNED -> UNLEARNING <-> AUDITING -> ERASED -> SEALED;
* DRAFT <-> PROPOSED -> APPROVED -> RESTRICTED: the operator's own case, which a second member of
  staff approves; from there on as any other;
* DRAFT | PROPOSED -> WITHDRAWN: the operator dropped it;
* REFUSED -> SEALED and WITHDRAWN -> SEALED once the answer is written;
* RECEIVED | VERIFIED -> WITHDRAWN: the person changed their mind in time;
* any state between ACCEPTED and ERASED -> ON_HOLD, and back to where it was;
* any open state -> FAILED, and back to where it was when staff retry.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction

from audits.models import ErasureRequest
from audits.services import log

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

S = ErasureRequest.Status
WORKING = (
    S.ACCEPTED,
    S.APPROVED,
    S.RESTRICTED,
    S.PLANNED,
    S.UNLEARNING,
    S.AUDITING,
    S.ERASED,
)
ALLOWED: dict[str, tuple[str, ...]] = {
    S.VERIFIED: (S.RECEIVED,),
    S.ACCEPTED: (S.VERIFIED,),
    S.REFUSED: (S.VERIFIED,),
    S.WITHDRAWN: (S.RECEIVED, S.VERIFIED, S.DRAFT, S.PROPOSED),
    S.DRAFT: (S.PROPOSED,),
    S.PROPOSED: (S.DRAFT,),
    S.APPROVED: (S.PROPOSED,),
    S.RESTRICTED: (S.ACCEPTED, S.APPROVED),
    S.PLANNED: (S.RESTRICTED,),
    S.UNLEARNING: (S.PLANNED, S.AUDITING),
    S.AUDITING: (S.UNLEARNING,),
    S.ERASED: (S.PLANNED, S.UNLEARNING, S.AUDITING),
    S.SEALED: (S.ERASED, S.VERIFIED, S.REFUSED, S.WITHDRAWN),
    S.ON_HOLD: WORKING[:-1],
    S.FAILED: (S.DRAFT, *WORKING),
}


class MoveNotAllowed(Exception):
    """The case is not in a state from which it may go there."""


@transaction.atomic
def move(
    *,
    case_id: UUID,
    to: str,
    now: datetime,
    event: tuple[str, Mapping[str, Any]] | None = None,
    actor: str = log.SYSTEM,
    fields: Mapping[str, Any] | None = None,
) -> bool:
    """Take a case to ``to``; return False when it is there already.

    Raises:
        MoveNotAllowed: the sentence names the case, where it is and where it may go from.
    """
    moved = ErasureRequest.objects.filter(pk=case_id, status__in=ALLOWED[to]).update(
        status=to, **(fields or {})
    )
    if not moved:
        current = ErasureRequest.objects.only("reference", "status").get(pk=case_id)
        if current.status == to:
            return False
        raise MoveNotAllowed(
            f"Case {current.reference} is {current.status}; it can become {to} only from "
            f"{', '.join(ALLOWED[to])}."
        )
    if event:
        log.append(type=event[0], case=case_id, now=now, data=event[1], actor=actor)
    return True
