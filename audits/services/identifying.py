"""Find out who asks: by the link, by a check of staff, and by asking for more (Art. 11, 12(6))."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Q

from audits.core.identity import NO_MANDATE, NOT_IDENTIFIED, one_of
from audits.core.roles import Right
from audits.models import (
    Decision,
    ErasureRequest,
    IdentityCheck,
    LocationResult,
)
from audits.queries.decisions import lacks_mandate
from audits.queries.identity import has_unchecked, known_by
from audits.queries.mandates import may_close, shown_until
from audits.services import four_eyes, log, rights
from audits.services.actors import actor_of
from audits.services.asking import (
    OPEN,
    ask,
    check_unproposed,
    end_identity_pause,
    undecided,
    was_asked,
)
from audits.services.stopping import lift_at_once, stop_if_asked
from audits.services.transitions import WORKING, MoveNotAllowed, move
from lineage.core.worded import Worded, worded
from lineage.queries import subjects

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from django.contrib.auth.models import User

    from audits.core.identity import Check
    from lineage.models import DataSubject

S = ErasureRequest.Status
Kind = ErasureRequest.Kind
Outcome = ErasureRequest.Outcome


def identify(*, case_id: UUID, now: datetime) -> None:
    """Find the subject of a verified case, log how much is held, and stop at once if asked.

    What was stated beside the confirmed address counts once staff have checked identity: else
    somebody could have another person erased by stating that one's number. Who saw their data in
    an output and is not found is asked for more.
    """
    request = ErasureRequest.objects.get(pk=case_id)
    subject = _subject_of(request)
    held = subjects.records_of(subject) if subject else {}
    count = sum(len(bitmap) for bitmap in held.values())
    fields: dict[str, Any] = {"subject": subject, "outcome": Outcome.OPEN, "joined_to": None}
    unknown = subject is None or not count
    if unknown and request.kind != Kind.SEEN_IN_OUTPUT and not has_unchecked(request):
        fields["outcome"] = Outcome.NO_DATA_FOUND
    elif not unknown and (earlier := _open_case_of(request, subject)):
        fields |= {"outcome": Outcome.JOINED, "joined_to": earlier}
    ErasureRequest.objects.filter(pk=case_id).update(**fields)
    log.append(
        type="subject_identified",
        case=case_id,
        now=now,
        data={"result": "FOUND" if count else "NOT_FOUND", "records": count},
    )
    request.refresh_from_db()
    stop_if_asked(request, now)
    if unknown and request.kind == Kind.SEEN_IN_OUTPUT and not was_asked(request):
        ask(request, "NO_RECORD_FOUND", log.SYSTEM, now)


def identify_again(*, case_id: UUID, now: datetime) -> None:
    """Look for the person of a case once more, now that its agent may ask for them."""
    request = ErasureRequest.objects.get(pk=case_id)
    if request.status == S.VERIFIED and not request.outcome:
        identify(case_id=case_id, now=now)


def _subject_of(request: ErasureRequest) -> DataSubject | None:
    known = known_by(request)
    found = {one.pk: one for pair in known if (one := subjects.find_subject(*pair))}
    holding = [one for one in found.values() if one.records.exists()]
    if len(holding) > 1:
        raise MoveNotAllowed(
            worded(
                "Case %(case)s: what was stated belongs to %(count)s people. Enter a case "
                "for each.",
                case=request.reference,
                count=len(holding),
            )
        )
    return next(iter(holding or found.values()), None)


def _open_case_of(request: ErasureRequest, subject: DataSubject | None) -> ErasureRequest | None:
    # Only a verified case counts: somebody who merely typed an address must not block its owner.
    # Only one of the same kind settles what was asked, or one that erases for certain: another may
    # be refused on a ground that is none against this one, or be withdrawn. Nor one of which a
    # decision is proposed, by people who did not see this request; nor one that is about to end,
    # or has erased: what came since is no part of it. Nor one of an agent whose mandate nobody
    # has seen: it may end without an answer to the person.
    if lacks_mandate(request):
        return None  # a request that is none yet has no part in what the person asked for
    found = ErasureRequest.objects.filter(
        subject=subject,
        status__in=[S.VERIFIED, S.INFO_ASKED, *WORKING[:-1], S.ON_HOLD, S.FAILED],
        verified_at__isnull=False,
        stop__lift_on__isnull=True,
    ).exclude(pk=request.pk)
    found = found.exclude(decisions__state=Decision.State.PROPOSED)
    found = found.exclude(intake__by_agent=True, intake__mandate_seen=False)
    settles = Q(kind=request.kind)
    if request.kind != Kind.RESTRICTION:
        settles |= Q(accepted_at__isnull=False) & ~Q(kind=Kind.RESTRICTION)
    return found.filter(settles).order_by("verified_at").first()


@transaction.atomic
def check_identity(
    *, case_id: UUID, check: Check, user: User, now: datetime, key_name: str = ""
) -> None:
    """Record that staff made sure who asks, and look for the person by all that was stated.

    ``key_name`` is the name of the API key that says so for them, empty where they do.

    Raises:
        NotAllowed: the member of staff may not handle cases.
        NotYourDecision: it is their own request, or turns out to be by what was stated; or keys of
            this name handed it in.
        MoveNotAllowed: the case is decided or closed, a decision is proposed, or it waits for the
            person.
    """
    rights.require(user, Right.HANDLE)
    _check_stranger(case_id, user, "CHECK_IDENTITY")
    four_eyes.check_other_program(case_id=case_id, key_name=key_name, action="CHECK_IDENTITY")
    note_check(case_id=case_id, check=check, user=user, now=now)
    _check_stranger(case_id, user, "CHECK_IDENTITY")


def _check_stranger(case_id: UUID, user: User, action: str) -> None:
    request = ErasureRequest.objects.select_for_update().get(pk=case_id)
    four_eyes.check_stranger(request=request, user=user, action=action)


def note_check(*, case_id: UUID, check: Check, user: User, now: datetime) -> None:
    """Record a check of a member of staff whose right was asked before; within a transaction."""
    request = undecided(case_id)
    IdentityCheck.objects.create(
        request=request,
        method=check.method,
        level=check.level,
        doubt=check.doubt,
        checked_at=now,
        checked_by=user,
    )
    # Places in which nothing was found were not asked by what counts from now on.
    nothing = LocationResult.Result.NONE_FOUND
    LocationResult.objects.filter(case=request, result=nothing).delete()
    data = {"method": check.method, "level": check.level, "doubt": check.doubt or "NONE"}
    log.append(type="identity_checked", case=case_id, now=now, actor=actor_of(user), data=data)
    if request.status == S.RECEIVED:
        move(
            case_id=case_id,
            to=S.VERIFIED,
            now=now,
            actor=actor_of(user),
            event=("request_verified", {"method": check.method}),
            fields={"verified_at": now, "confirm_digest": ""},
        )
    identify(case_id=case_id, now=now)


@transaction.atomic
def note_proof_destroyed(*, case_id: UUID, user: User, now: datetime) -> bool:
    """Record that a document that was shown is destroyed; False when there is none left.

    Raises:
        NotAllowed: the member of staff may not handle cases.
        NotYourDecision: it is their own request.
    """
    rights.require(user, Right.HANDLE)
    _check_stranger(case_id, user, "NOTE_PROOF_DESTROYED")
    shown = IdentityCheck.objects.filter(
        request_id=case_id, method="DOCUMENT", proof_destroyed_at=None
    )
    if not shown.update(proof_destroyed_at=now):
        return False
    log.append(type="identity_proof_destroyed", case=case_id, now=now, actor=actor_of(user))
    return True


@transaction.atomic
def close_unidentified(*, case_id: UUID, reason: str, user: User, now: datetime) -> bool:
    """Close a case whose person cannot be identified (Art. 11(2)); they are told how to give more.

    So is one that an agent sent who was asked for the mandate and showed none, whoever it is
    about: the answer says nothing about that person, who can ask at any time.

    Raises:
        NotAllowed: the member of staff may not handle cases.
        NotYourDecision: it is their own request.
        ValueError: the reason is not one of ``NOT_IDENTIFIED``.
        MoveNotAllowed: the person was identified, or the case is decided or closed, or a decision
            is proposed; or the agent has still time to show the mandate.
    """
    rights.require(user, Right.HANDLE)
    _check_stranger(case_id, user, "CLOSE_UNIDENTIFIED")
    one_of("reason", reason, NOT_IDENTIFIED)
    request = ErasureRequest.objects.select_for_update().get(pk=case_id)
    check_unproposed(request)
    _check_closable(request, reason, now)
    ErasureRequest.objects.filter(pk=case_id).update(
        outcome=Outcome.NOT_IDENTIFIED, refusal_code=reason, confirm_digest=""
    )
    data = {"reason": reason}
    log.append(
        type="person_not_identified", case=case_id, now=now, actor=actor_of(user), data=data
    )
    end_identity_pause(case_id=case_id, now=now, user=user)
    lift_at_once(case_id=case_id, now=now)  # what nobody asked for who may ask
    return True


def _check_closable(request: ErasureRequest, reason: str, now: datetime) -> None:
    agent = reason == NO_MANDATE
    silent = (Outcome.OPEN, Outcome.NO_DATA_FOUND) if agent else (Outcome.OPEN,)
    if request.status not in (*OPEN, S.INFO_ASKED) or request.outcome not in silent:
        raise _not_closed(request, worded("it is %(state)s", state=request.status))
    if request.subject and not agent:
        raise _not_closed(request, worded("the person is identified"))
    if agent and not lacks_mandate(request):
        raise _not_closed(request, worded("no agent owes a mandate"))
    if agent and not may_close(request, now):
        last = shown_until(request)
        until = worded("the agent has until %(last)s", last=last)
        raise _not_closed(
            request, until if last else worded("ask the agent for the mandate first")
        )


def _not_closed(request: ErasureRequest, why: Worded) -> MoveNotAllowed:
    said = worded(
        "Case %(case)s cannot be closed as not identified: %(why)s.",
        case=request.reference,
        why=why,
    )
    return MoveNotAllowed(said)
