"""Decide, withdraw, fail and resume requests. States: ``audits/services/transitions.py``.

Receiving is in ``receiving``, identity in ``identifying``, restrictions in ``stopping``; what has
long been called by this module's name can be had from here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from audits.models import ErasureRequest, Intake, ProcessingStop
from audits.services import log, stopping
from audits.services.actors import actor_of, staff_pseudonym
from audits.services.identifying import identify
from audits.services.receiving import (
    CONFIRM_SALT,
    LinkNotUsable,
    Received,
    Told,
    Wish,
    confirm_request,
    new_reference,
    receive_request,
    request_of_link,
    token_digest,
)
from audits.services.transitions import MoveNotAllowed, move

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from django.contrib.auth.models import User

__all__ = [
    "CONFIRM_SALT",
    "GROUNDS_18",
    "REFUSALS",
    "LinkNotUsable",
    "Received",
    "Told",
    "Wish",
    "accept_request",
    "actor_of",
    "confirm_request",
    "decide_objection",
    "fail_case",
    "identify",
    "new_reference",
    "receive_request",
    "refuse_request",
    "request_of_link",
    "resume_case",
    "staff_pseudonym",
    "token_digest",
    "withdraw_request",
]

S = ErasureRequest.Status
Kind = ErasureRequest.Kind
Outcome = ErasureRequest.Outcome
GROUNDS_18 = {
    "ART_18_1_A": "The accuracy of the data is contested (18(1)(a))",
    "ART_18_1_B": "The processing is unlawful, and the person wants no erasure (18(1)(b))",
    "ART_18_1_C": "The person needs the data for legal claims (18(1)(c))",
    "ART_18_1_D": "An objection is being decided (18(1)(d))",
}


@transaction.atomic
def accept_request(*, case_id: UUID, ground: str, user: User, now: datetime) -> bool:
    """Record the ground and start what is asked for; False when already accepted.

    That is an erasure on a ground of Art. 17(1), or a restriction on one of Art. 18(1).

    Raises:
        ValueError: the ground is not one of the article.
        MoveNotAllowed: the person has not confirmed, is not identified, or their agent showed no
            mandate; or the case has gone on or closes by itself.
    """
    allowed = grounds_of(ErasureRequest.objects.only("kind").get(pk=case_id))
    if ground not in allowed:
        raise ValueError(f"ground is {ground!r}; allowed are {', '.join(allowed)}.")
    _check_acceptable(case_id)
    return move(
        case_id=case_id,
        to=S.ACCEPTED,
        now=now,
        actor=actor_of(user),
        event=("request_accepted", {"ground": ground}),
        fields={"ground": ground, "accepted_at": now, "accepted_by": user},
    )


def grounds_of(request: ErasureRequest) -> dict[str, str]:
    """Return the grounds on which a request of its kind can be accepted, by code."""
    if request.kind == Kind.RESTRICTION:
        return GROUNDS_18
    return {code: words for code, words in ErasureRequest.Ground.choices if code}


REFUSALS = {
    "ART_17_3_A": "Freedom of expression and information (17(3)(a))",
    "ART_17_3_B": "Legal obligation or public interest (17(3)(b))",
    "ART_17_3_C": "Public health (17(3)(c))",
    "ART_17_3_D": "Archiving, research or statistics (17(3)(d))",
    "ART_17_3_E": "Legal claims (17(3)(e))",
    "ART_12_5_B": "Manifestly unfounded or excessive (12(5)(b))",
    stopping.OVERRULED: "Compelling legitimate grounds override the objection (21(1))",
}


@transaction.atomic
def refuse_request(*, case_id: UUID, code: str, user: User, now: datetime) -> bool:
    """Refuse with one of the coded reasons; False when already refused.

    What was restricted before the decision stays so until the person was told of its end.

    Raises:
        ValueError: the code is not in ``REFUSALS``.
        MoveNotAllowed: the person has not confirmed, the case has gone on, or it holds an
            objection whose balance is not decided or needs none.
    """
    if code not in REFUSALS:
        raise ValueError(f"code is {code!r}; allowed are {', '.join(REFUSALS)}.")
    request = ErasureRequest.objects.select_for_update().get(pk=case_id)
    if request.status == S.VERIFIED:
        stopping.check_balanced(request, code)
    refused = move(
        case_id=case_id,
        to=S.REFUSED,
        now=now,
        actor=actor_of(user),
        event=("request_refused", {"code": code}),
        fields={"refusal_code": code, "outcome": Outcome.REFUSED},
    )
    stop = ProcessingStop.objects.filter(request=request).exclude(stopped_at=None).first()
    if refused and stop:
        reason = stop.balance_text or f"{REFUSALS[code]}."
        stopping.announce(request=request, reason=reason, now=now, actor=actor_of(user))
    return refused


@transaction.atomic
def decide_objection(*, case_id: UUID, upheld: bool, text: str, user: User, now: datetime) -> bool:
    """Decide the balance of Art. 21(1): upheld goes on as an erasure, overruled is refused.

    Raises:
        NotAllowed, ReasonTooShort, MoveNotAllowed: as ``stopping.record_balance``.
    """
    stopping.record_balance(case_id=case_id, upheld=upheld, text=text, user=user, now=now)
    if upheld:
        ground = ErasureRequest.Ground.OBJECTION
        return accept_request(case_id=case_id, ground=ground, user=user, now=now)
    return refuse_request(case_id=case_id, code=stopping.OVERRULED, user=user, now=now)


def _check_acceptable(case_id: UUID) -> None:
    # A case that closes by itself (nothing found, joined to another) has nothing to erase.
    request = ErasureRequest.objects.select_for_update().get(pk=case_id)
    if request.status == S.VERIFIED and request.outcome:
        raise MoveNotAllowed(
            f"Case {request.reference} closes by itself ({request.get_outcome_display()}); "
            "there is nothing to erase."
        )
    if request.status == S.VERIFIED and request.subject is None:
        raise MoveNotAllowed(
            f"Case {request.reference}: the person is not identified. Check their identity, or "
            "close the case as not identified."
        )
    intake = Intake.objects.filter(request=request).first()
    if request.status == S.VERIFIED and intake and intake.by_agent and not intake.mandate_seen:
        raise MoveNotAllowed(
            f"Case {request.reference} was sent by an agent whose mandate nobody has seen."
        )


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
    """Put a failed case back to where it stopped; False when it is not failed."""
    request = ErasureRequest.objects.get(pk=case_id)
    resumed = ErasureRequest.objects.filter(pk=case_id, status=S.FAILED).update(
        status=request.failed_from, failed_from="", failure_code="", failure=""
    )
    if resumed:
        log.append(type="request_resumed", case=case_id, now=now, actor=actor_of(user))
    return bool(resumed)
