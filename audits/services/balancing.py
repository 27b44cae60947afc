"""The balance of Art. 21(1): an objection is turned down only for compelling grounds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from audits.core.commitment import commit
from audits.core.grounds import OVERRULED, UNFOUNDED
from audits.core.roles import Right
from audits.models import ErasureRequest, ProcessingStop
from audits.services import log, rights
from audits.services.actors import actor_of
from audits.services.reasons import reason_of
from audits.services.transitions import MoveNotAllowed
from lineage import keys
from lineage.core.worded import worded

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from django.contrib.auth.models import User

S = ErasureRequest.Status
Balance, Objection = ProcessingStop.Balance, ProcessingStop.Objection


def check_balanced(request: ErasureRequest, code: str) -> None:
    """Refuse to turn down an objection without its balance; against marketing there is none."""
    stop = ProcessingStop.objects.filter(request=request).first()
    if stop is None or not stop.objection or code == UNFOUNDED:
        if code == OVERRULED:
            raise MoveNotAllowed(
                worded("Case %(case)s holds no objection to overrule.", case=request.reference)
            )
        return
    if stop.objection == Objection.MARKETING:
        raise MoveNotAllowed(
            worded(
                "Case %(case)s objects to direct marketing: no interest of ours can override"
                " that (Art. 21(3)). Accept it.",
                case=request.reference,
            )
        )
    if stop.balance != Balance.OVERRULED:
        raise MoveNotAllowed(
            worded(
                "Case %(case)s holds an objection; decide its balance (Art. 21(1)) first.",
                case=request.reference,
            )
        )


@transaction.atomic
def record_balance(
    *, case_id: UUID, upheld: bool, text: str, user: User, now: datetime
) -> ErasureRequest:
    """Record how the balance of Art. 21(1) was decided and why, in words that the person reads.

    Raises:
        NotAllowed: the member of staff may not handle cases.
        ReasonTooShort: the text says too little.
        MoveNotAllowed: there is no objection to decide, or it objects to direct marketing.
    """
    rights.require(user, Right.HANDLE)
    text = reason_of("balance", text)
    request = ErasureRequest.objects.select_for_update().get(pk=case_id)
    stop = ProcessingStop.objects.filter(request=request).first()
    if stop is None or not stop.objection or request.status != S.VERIFIED or request.outcome:
        raise MoveNotAllowed(
            worded(
                "Case %(case)s is %(state)s and has no objection to decide.",
                case=request.reference,
                state=request.status,
            )
        )
    if stop.objection == Objection.MARKETING:
        raise MoveNotAllowed(
            worded(
                "Case %(case)s objects to direct marketing: nothing is balanced (Art. "
                "21(3)). Accept it.",
                case=request.reference,
            )
        )
    stop.balance = Balance.UPHELD if upheld else Balance.OVERRULED
    stop.balance_text, stop.balanced_at, stop.balanced_by = text, now, user
    stop.save()
    committed = commit(keys.get(f"case:{case_id}"), {"balance": text})
    log.append(
        type="objection_balanced",
        case=case_id,
        now=now,
        actor=actor_of(user),
        data={"result": stop.balance, "balance": committed},
    )
    return request
