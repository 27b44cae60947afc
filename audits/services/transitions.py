"""The state machine of a case. Every move is one conditional UPDATE and one event.

Only UNLEARNING and AUDITING have none of their own: the events of the runs tell of them.

* RECEIVED -> VERIFIED: the person opened the confirmation link and pressed the button, or staff
  checked who asks;
* RECEIVED -> EXPIRED: nobody pressed it in time; the address is forgotten, and that is the end;
* RECEIVED | VERIFIED <-> INFO_ASKED: the person is asked for more, once, and the case goes back to
  where it was with what they stated, or without once staff wait no longer;
* RECEIVED | VERIFIED | INFO_ASKED -> SEALED with the outcome NOT_IDENTIFIED;
* VERIFIED -> ACCEPTED | REFUSED: staff decided and recorded a ground or a code;
* VERIFIED -> SEALED: nothing is held about the person, or an earlier case already runs;
* ACCEPTED -> RESTRICTED -> PLANNED -> UNLEARNING <-> AUDITING -> ERASED -> SEALED;
* ACCEPTED -> RESTRICTED -> SEALED with the outcome RESTRICTION_LIFTED: a request of Art. 18, which
  is never planned and ends once the person was told of the end; or RESTRICTION_ERASED, once
  another case of theirs has erased all that it restricted;
* DRAFT <-> PROPOSED -> APPROVED -> RESTRICTED: the operator's own case, which a second member of
  staff approves; from there on as any other;
* DRAFT | PROPOSED -> WITHDRAWN: the operator dropped it;
* REFUSED -> SEALED and WITHDRAWN -> SEALED once the answer is written, and nothing is restricted
  any more that had been before the decision (withdrawal of consent, objection);
* RECEIVED | VERIFIED | INFO_ASKED -> WITHDRAWN: the person changed their mind in time;
* any state between ACCEPTED and ERASED -> ON_HOLD, and back to where it was;
* any open state -> FAILED, and back to where it was when staff retry.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Q

from audits.models import ErasureRequest
from audits.queries.cases import OVER
from audits.services import budget_waits, ending, keeping, log, traced
from lineage.core.worded import Worded, worded

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
ENDS = (S.WITHDRAWN, S.REFUSED, S.SEALED, S.EXPIRED)
STOPS = (S.FAILED, S.ON_HOLD)
ALLOWED: dict[str, tuple[str, ...]] = {
    S.RECEIVED: (S.INFO_ASKED,),
    S.VERIFIED: (S.RECEIVED, S.INFO_ASKED),
    S.INFO_ASKED: (S.RECEIVED, S.VERIFIED),
    S.EXPIRED: (S.RECEIVED,),
    S.ACCEPTED: (S.VERIFIED,),
    S.REFUSED: (S.VERIFIED,),
    S.WITHDRAWN: (S.RECEIVED, S.VERIFIED, S.INFO_ASKED, S.DRAFT, S.PROPOSED),
    S.DRAFT: (S.PROPOSED,),
    S.PROPOSED: (S.DRAFT,),
    S.APPROVED: (S.PROPOSED,),
    S.RESTRICTED: (S.ACCEPTED, S.APPROVED),
    S.PLANNED: (S.RESTRICTED,),
    S.UNLEARNING: (S.PLANNED, S.AUDITING),
    S.AUDITING: (S.UNLEARNING,),
    S.ERASED: (S.PLANNED, S.UNLEARNING, S.AUDITING),
    S.SEALED: (
        S.ERASED,
        S.VERIFIED,
        S.REFUSED,
        S.WITHDRAWN,
        S.RECEIVED,
        S.INFO_ASKED,
        S.RESTRICTED,
    ),
    S.ON_HOLD: WORKING[:-1],
    S.FAILED: (S.DRAFT, *WORKING),
}
# From these a case is sealed with these outcomes only.
SEALED_AS: dict[str, tuple[str, ...]] = {
    S.RECEIVED: (ErasureRequest.Outcome.NOT_IDENTIFIED,),
    S.INFO_ASKED: (ErasureRequest.Outcome.NOT_IDENTIFIED,),
    S.RESTRICTED: (
        ErasureRequest.Outcome.RESTRICTION_LIFTED,
        ErasureRequest.Outcome.RESTRICTION_ERASED,
    ),
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
    movable = ErasureRequest.objects.filter(pk=case_id, status__in=ALLOWED[to])
    if to == S.SEALED:
        for status, outcomes in SEALED_AS.items():
            movable = movable.exclude(~Q(outcome__in=outcomes), status=status)
    moved = movable.update(status=to, **(fields or {}))
    if not moved:
        current = ErasureRequest.objects.only("reference", "status").get(pk=case_id)
        if current.status == to:
            return False
        raise MoveNotAllowed(cannot_become(current, to))
    traced.note_move(case_id, to, now)
    if to in STOPS:  # it waits for people then, or for nothing, and not for a budget
        budget_waits.end_waits(case_id=case_id, now=now)
    _end(case_id, to, now, actor)
    if event:
        log.append(type=event[0], case=case_id, now=now, data=event[1], actor=actor)
    return True


def _end(case_id: UUID, to: str, now: datetime, actor: str) -> None:
    """Do what belongs to the end of a case, where ``to`` is one."""
    if to in ENDS:
        ending.end_open(case_id=case_id, now=now, actor=actor)
    if to in OVER:
        keeping.note_closing(case_id=case_id, now=now)


def cannot_become(request: ErasureRequest, to: str) -> Worded:
    """Return that a case is not where it could move from."""
    return worded(
        "Case %(case)s is %(state)s; it can become %(next)s only from %(states)s.",
        case=request.reference,
        state=request.status,
        next=to,
        states=", ".join(ALLOWED[to]),
    )
