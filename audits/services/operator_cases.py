"""Open, propose and approve the operator's own cases (docs/adr/0026-active-unlearning.md).

Nobody asked for these: there is no identity to confirm, no letter and no statutory deadline. What
stands in for the person's own word is a second member of staff.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import transaction

from audits.core.roles import Right
from audits.models import ErasureRequest, OperatorCase
from audits.queries.operator_cases import (
    CHANNEL,
    NO_DEADLINE,
    chosen_of,
    digest_of,
    may_approve,
)
from audits.services import log
from audits.services.actors import actor_of
from audits.services.operator_checks import check_any, check_one_of, check_scored, usable
from audits.services.references import new_reference, token_digest
from audits.services.rights import require
from audits.services.transitions import MoveNotAllowed, move
from lineage.core import bitmaps
from lineage.core.worded import worded

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from django.contrib.auth.models import User
    from pyroaring import BitMap

    from lineage.models import ModelVersion, OrdinalSpace

S = ErasureRequest.Status
Reason, Disposal = OperatorCase.Reason, OperatorCase.Disposal


@dataclass(frozen=True, kw_only=True)
class NewCase:
    """What a case is opened with.

    * ``reason``: POISONED, MISLABELLED or EXPIRED_CONSENT;
    * ``disposal``: KEEP or DELETE, what becomes of the records;
    * ``space``: of the records;
    * ``version``: whose training records are scored around the seeds; None for the seeds alone;
    * ``seeds``: the records that were named.
    """

    reason: str
    disposal: str
    space: OrdinalSpace
    version: ModelVersion | None
    seeds: BitMap


class NotYourApproval(Exception):
    """The member of staff may not approve this forget set; the sentence says why."""


@transaction.atomic
def open_case(*, new: NewCase, user: User, now: datetime) -> OperatorCase:
    """Open a case; nothing is restricted before it is approved, which ``user`` cannot do.

    Raises:
        NotAllowed: the member of staff may not handle cases.
        ValueError: reason or disposal is not one of these.
        ForgetSetRefused: no record can still be used, or one is to be deleted that must be kept.
        OrdinalsUnknown: the space has not handed them out.
    """
    require(user, Right.HANDLE)
    check_one_of("reason", new.reason, Reason.values)
    check_one_of("disposal", new.disposal, Disposal.values)
    named = bitmaps.encode(usable(new.space, new.seeds, new.disposal))
    request = ErasureRequest.objects.create(
        reference=new_reference("OP"),
        kind=ErasureRequest.Kind.OPERATOR,
        status=S.DRAFT,
        channel=CHANNEL,
        status_digest=token_digest(secrets.token_urlsafe(32)),
        received_at=now,
        due_rule=NO_DEADLINE,
    )
    case = OperatorCase.objects.create(
        request=request,
        reason=new.reason,
        disposal=new.disposal,
        space=new.space,
        version=new.version,
        seeds=named,
        chosen=named,
    )
    case.authors.add(user)
    opened = {
        "reason": new.reason,
        "space": str(new.space.public_id),
        "disposal": new.disposal,
    }
    log.append(type="case_opened", case=request.pk, now=now, data=opened, actor=actor_of(user))
    return case


@transaction.atomic
def choose(*, case_id: UUID, ordinals: BitMap, user: User) -> None:
    """Replace the records that are to leave the training; who does so is one of the authors.

    Raises:
        NotAllowed: the member of staff may not handle cases.
        MoveNotAllowed: the case is not a draft (any more), or is still being scored.
        ForgetSetRefused, OrdinalsUnknown: as ``open_case``.
    """
    require(user, Right.HANDLE)
    case = _drafted(case_id)
    case.chosen = bitmaps.encode(usable(case.space, ordinals, case.disposal))
    case.save(update_fields=["chosen"])
    case.authors.add(user)


@transaction.atomic
def propose(*, case_id: UUID, user: User, now: datetime) -> bool:
    """Ask a second member of staff to approve the forget set; False when that was done.

    Raises:
        NotAllowed: the member of staff may not handle cases.
        MoveNotAllowed: the case is not a draft, or its records are still being scored.
        ForgetSetRefused: all that were chosen have been erased since, or one must be kept.
    """
    require(user, Right.HANDLE)
    case = locked(case_id)
    check_scored(case)
    check_any(case)
    proposed = {
        "space": str(case.space.public_id),
        "records": len(chosen_of(case)),
        "digest": digest_of(case),
    }
    moved = move(
        case_id=case_id,
        to=S.PROPOSED,
        now=now,
        actor=actor_of(user),
        event=("forget_set_proposed", proposed),
    )
    if moved:
        case.proposed_by = user
        case.save(update_fields=["proposed_by"])
        case.authors.add(user)
    return moved


@transaction.atomic
def send_back(*, case_id: UUID, user: User, now: datetime) -> bool:
    """Return a proposed forget set to be chosen anew; False when it is being chosen already.

    Raises:
        NotAllowed: the member of staff may neither handle cases nor approve.
        MoveNotAllowed: the case is past that.
    """
    require(user, Right.HANDLE, Right.REVIEW)
    locked(case_id)
    event = ("forget_set_returned", dict[str, Any]())
    return move(case_id=case_id, to=S.DRAFT, now=now, actor=actor_of(user), event=event)


@transaction.atomic
def approve(*, case_id: UUID, digest: str, user: User, now: datetime) -> bool:
    """Approve a proposed forget set, of which ``digest`` was shown; False when it was approved.

    Raises:
        NotAllowed: the member of staff may not approve.
        NotYourApproval: the member of staff opened the case or chose one of its records.
        MoveNotAllowed: nothing is proposed, or other records than those that were shown.
        ForgetSetRefused: all that were chosen have been erased since, or one must be kept.
    """
    require(user, Right.REVIEW)
    case = locked(case_id)
    if reason := may_approve(case, user):
        raise NotYourApproval(reason)
    check_any(case)
    if digest != digest_of(case):
        raise MoveNotAllowed(
            worded(
                "Case %(case)s: the forget set was changed after you looked at it. Look at "
                "it again before you approve it.",
                case=case.request.reference,
            )
        )
    moved = move(
        case_id=case_id,
        to=S.APPROVED,
        now=now,
        actor=actor_of(user),
        event=("forget_set_approved", {"records": len(chosen_of(case)), "digest": digest}),
        fields={"accepted_at": now, "accepted_by": user},
    )
    if moved:
        case.approved_by = user
        case.save(update_fields=["approved_by"])
    return moved


@transaction.atomic
def drop(*, case_id: UUID, user: User, now: datetime) -> bool:
    """Close a case that was not approved, or could not be scored: every record stays put.

    Raises:
        NotAllowed: the member of staff may not handle cases.
        MoveNotAllowed: the case is past that.
    """
    require(user, Right.HANDLE)
    locked(case_id)
    ErasureRequest.objects.filter(pk=case_id, status=S.FAILED, failed_from=S.DRAFT).update(
        status=S.DRAFT, failed_from="", failure_code="", failure=""
    )
    return move(
        case_id=case_id,
        to=S.WITHDRAWN,
        now=now,
        actor=actor_of(user),
        event=("case_dropped", {}),
        fields={"outcome": ErasureRequest.Outcome.WITHDRAWN},
    )


def locked(case_id: UUID) -> OperatorCase:
    """Return the case, held until the transaction ends: a set is not edited while approved.

    Both rows: after waiting, PostgreSQL reads anew only what it locks.
    """
    return (
        OperatorCase.objects.select_for_update(of=("self", "request"))
        .select_related("request", "space")
        .get(pk=case_id)
    )


def _drafted(case_id: UUID) -> OperatorCase:
    case = locked(case_id)
    if case.request.status != S.DRAFT:
        raise MoveNotAllowed(
            worded(
                "Case %(case)s is %(state)s; its forget set can be chosen only while it is DRAFT.",
                case=case.request.reference,
                state=case.request.status,
            )
        )
    check_scored(case)
    return case
