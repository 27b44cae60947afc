"""Withdraw, fail and resume requests. States: ``audits/services/transitions.py``.

Receiving is in ``receiving``, identity in ``identifying``, decisions in ``deciding``, restrictions
in ``stopping``; what has long been called by this module's name can be had from here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from audits.core.roles import Right
from audits.models import ErasureRequest
from audits.services import four_eyes, log, stopping
from audits.services.actors import actor_of, staff_pseudonym
from audits.services.identifying import identify
from audits.services.receiving import (
    CONFIRM_SALT,
    LinkNotUsable,
    Received,
    Told,
    Wish,
    confirm_request,
    receive_request,
    request_of_link,
)
from audits.services.references import new_reference, token_digest
from audits.services.rights import require
from audits.services.transitions import move

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from django.contrib.auth.models import User

__all__ = [
    "CONFIRM_SALT",
    "LinkNotUsable",
    "Received",
    "Told",
    "Wish",
    "actor_of",
    "confirm_request",
    "fail_case",
    "identify",
    "new_reference",
    "receive_request",
    "request_of_link",
    "resume_case",
    "staff_pseudonym",
    "token_digest",
    "withdraw_request",
]

S = ErasureRequest.Status
Outcome = ErasureRequest.Outcome


@transaction.atomic
def withdraw_request(*, case_id: UUID, now: datetime) -> bool:
    """Let the person take the request back until it is decided; a restriction ends with it."""
    withdrawn = move(
        case_id=case_id,
        to=S.WITHDRAWN,
        now=now,
        actor=log.SUBJECT,
        event=("request_withdrawn", {}),
        fields={"outcome": Outcome.WITHDRAWN, "confirm_digest": ""},
    )
    if withdrawn:
        stopping.lift_at_once(case_id=case_id, now=now)
    return withdrawn


@transaction.atomic
def fail_case(*, case_id: UUID, code: str, message: str, now: datetime) -> bool:
    """Stop a case that cannot go on by itself, keeping where it was for a retry."""
    current = ErasureRequest.objects.get(pk=case_id)
    return move(
        case_id=case_id,
        to=S.FAILED,
        now=now,
        event=("case_failed", {"code": log.code_of(code)}),
        fields={"failed_from": current.status, "failure_code": code, "failure": message[:2000]},
    )


@transaction.atomic
def resume_case(*, case_id: UUID, user: User, now: datetime) -> bool:
    """Put a failed case back to where it stopped; False when it is not failed.

    Raises:
        NotAllowed: the member of staff may not decide about models.
        NotYourDecision: they approved the case.
    """
    require(user, Right.OPERATE)
    four_eyes.check_executor(cases=[case_id], user=user, action="RETRY")
    request = ErasureRequest.objects.get(pk=case_id)
    resumed = ErasureRequest.objects.filter(pk=case_id, status=S.FAILED).update(
        status=request.failed_from, failed_from="", failure_code="", failure=""
    )
    if resumed:
        log.append(type="request_resumed", case=case_id, now=now, actor=actor_of(user))
    return bool(resumed)
