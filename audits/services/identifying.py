"""Find out who asks: by the link, by a check of staff, and by asking for more (Art. 11, 12(6))."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.core import signing
from django.db import transaction

from audits.core.roles import Right
from audits.models import ErasureRequest, IdentityCheck, PersonalDetails
from audits.services import log, rights
from audits.services.actors import actor_of
from audits.services.stopping import stop_if_asked
from audits.services.transitions import WORKING, MoveNotAllowed, move
from lineage.core.identifiers import normalise
from lineage.queries import subjects

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from django.contrib.auth.models import User

    from lineage.models import DataSubject

S = ErasureRequest.Status
Kind = ErasureRequest.Kind
Outcome = ErasureRequest.Outcome
ANSWER_SALT = "audits.answer"
OPEN = (S.RECEIVED, S.VERIFIED)
MOST_IDENTIFIERS = 10
METHODS = {
    "ACCOUNT": "Signed in to an account of ours",
    "CALL_BACK": "Called back on a number that we had",
    "QUESTIONS": "Answered questions about facts that only they know",
    "LETTER_CODE": "Named a code that we posted to a known address",
    "DOCUMENT": "Showed a document",
    "IN_PERSON": "Known to the member of staff in person",
}
LEVELS = {"LOW": "Low", "SUBSTANTIAL": "Substantial", "HIGH": "High"}
DOUBTS = {
    "NO_RECORD_FOUND": "Nothing is held under what was stated",
    "ADDRESS_NOT_KNOWN": "The address is not one that we know",
    "CLAIMS_DIFFER": "What was stated does not fit together",
    "SEVERAL_PEOPLE": "What was stated fits several people",
    "AGENT_WITHOUT_MANDATE": "An agent asks and no mandate was seen",
}
NOT_IDENTIFIED = {
    "NO_ANSWER": "We asked for more and got no answer",
    "NOT_ENOUGH": "What was stated does not single out one person",
    "CHECK_FAILED": "The check of identity failed",
}


class AnswerNotUsable(Exception):
    """The link of a question about identity is altered or was answered; the sentence says which."""


@dataclass(frozen=True, kw_only=True)
class Check:
    """How staff made sure who asks: codes of ``METHODS``, ``LEVELS`` and, if any, ``DOUBTS``."""

    method: str
    level: str
    doubt: str = ""

    def __post_init__(self) -> None:
        _one_of("method", self.method, METHODS)
        _one_of("level", self.level, LEVELS)
        if self.doubt:
            _one_of("doubt", self.doubt, DOUBTS)


def identify(*, case_id: UUID, now: datetime) -> None:
    """Find the subject of a verified case, log how many records are held, and stop at once if asked.

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
    if unknown and request.kind != Kind.SEEN_IN_OUTPUT and not _unchecked(request):
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
    if unknown and request.kind == Kind.SEEN_IN_OUTPUT and not _asked(request):
        _ask(request, "NO_RECORD_FOUND", log.SYSTEM, now)


def _unchecked(request: ErasureRequest) -> bool:
    """Return whether something was stated that counts only once staff have checked identity."""
    details = PersonalDetails.objects.filter(request=request).first()
    stated = bool(details and details.identifiers)
    return stated and not request.identity_checks.exclude(checked_at=None).exists()


def _subject_of(request: ErasureRequest) -> DataSubject | None:
    stated = [("EMAIL", request.email)] if request.email else []
    if request.identity_checks.exclude(checked_at=None).exists():
        details = PersonalDetails.objects.filter(request=request).first()
        stated += [(kind, value) for kind, value in (details.identifiers if details else [])]
    found = {one.pk: one for pair in stated if (one := subjects.find_subject(*pair))}
    holding = [one for one in found.values() if one.records.exists()]
    if len(holding) > 1:
        raise MoveNotAllowed(
            f"Case {request.reference}: what was stated belongs to {len(holding)} people. "
            "Enter a case for each."
        )
    return next(iter(holding or found.values()), None)


def _open_case_of(request: ErasureRequest, subject: DataSubject | None) -> ErasureRequest | None:
    # Only a verified case counts: somebody who merely typed an address must not block its owner.
    # Who wants data kept but restricted does not want what an erasure does, nor the reverse.
    found = ErasureRequest.objects.filter(
        subject=subject,
        status__in=[S.VERIFIED, S.INFO_ASKED, *WORKING, S.ON_HOLD, S.FAILED],
        verified_at__isnull=False,
    ).exclude(pk=request.pk)
    if request.kind == Kind.RESTRICTION:
        found = found.filter(kind=Kind.RESTRICTION)
    else:
        found = found.exclude(kind=Kind.RESTRICTION)
    return found.order_by("verified_at").first()


@transaction.atomic
def check_identity(*, case_id: UUID, check: Check, user: User, now: datetime) -> None:
    """Record that staff made sure who asks, and look for the person by all that was stated.

    Raises:
        NotAllowed: the member of staff may not handle cases.
        MoveNotAllowed: the case is decided or closed, or waits for the person.
    """
    rights.require(user, Right.HANDLE)
    note_check(case_id=case_id, check=check, user=user, now=now)


def note_check(*, case_id: UUID, check: Check, user: User, now: datetime) -> None:
    """Record a check of a member of staff whose right was asked before; within a transaction."""
    request = _undecided(case_id)
    IdentityCheck.objects.create(
        request=request,
        method=check.method,
        level=check.level,
        doubt=check.doubt,
        checked_at=now,
        checked_by=user,
    )
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
    """
    rights.require(user, Right.HANDLE)
    shown = IdentityCheck.objects.filter(
        request_id=case_id, method="DOCUMENT", proof_destroyed_at=None
    )
    if not shown.update(proof_destroyed_at=now):
        return False
    log.append(type="identity_proof_destroyed", case=case_id, now=now, actor=actor_of(user))
    return True


@transaction.atomic
def ask_information(*, case_id: UUID, doubt: str, user: User, now: datetime) -> None:
    """Ask the person for more, for a coded reason; the clock runs on.

    Raises:
        NotAllowed: the member of staff may not handle cases.
        ValueError: the reason is not one of ``DOUBTS``.
        MoveNotAllowed: the case is decided or closed, or the person was asked before.
    """
    rights.require(user, Right.HANDLE)
    _one_of("doubt", doubt, DOUBTS)
    request = _undecided(case_id)
    if _asked(request):
        raise MoveNotAllowed(
            f"Case {request.reference}: the person was asked for more already; asking again "
            "and again would hinder them. Decide on what is there."
        )
    _ask(request, doubt, actor_of(user), now)


def _ask(request: ErasureRequest, doubt: str, actor: str, now: datetime) -> None:
    IdentityCheck.objects.create(
        request=request, doubt=doubt, asked_at=now, asked_from=request.status
    )
    event = ("info_asked", {"doubt": doubt})
    move(case_id=request.pk, to=S.INFO_ASKED, now=now, actor=actor, event=event)


def _asked(request: ErasureRequest) -> bool:
    return request.identity_checks.exclude(asked_at=None).exists()


def question_of(request: ErasureRequest) -> IdentityCheck | None:
    """Return the question that the person has not answered yet."""
    return request.identity_checks.filter(received_at=None).exclude(asked_at=None).first()


def answer_token(question: IdentityCheck) -> str:
    """Return the secret of the page on which the person answers; the same each time."""
    return signing.Signer(salt=ANSWER_SALT).sign(str(question.pk))


def question_of_link(token: str) -> IdentityCheck:
    """Return the open question of a link.

    Raises:
        AnswerNotUsable: the link is altered, or nobody waits for its answer any more.
    """
    try:
        pk = signing.Signer(salt=ANSWER_SALT).unsign(token)
    except signing.BadSignature:
        raise AnswerNotUsable(
            "This link is not complete or was changed. Please copy the whole link from our letter."
        ) from None
    question = IdentityCheck.objects.select_related("request").filter(pk=pk).first()
    if question is None or question.received_at or question.request.status != S.INFO_ASKED:
        raise AnswerNotUsable(
            "We have your answer already, or the request is closed. The status page shows how "
            "far it is."
        )
    return question


@transaction.atomic
def receive_information(
    *,
    case_id: UUID,
    identifiers: Sequence[tuple[str, str]],
    now: datetime,
    user: User | None = None,
) -> None:
    """Add what the person stated and let the case go on where it was; staff check it then.

    Raises:
        NotAllowed: ``user``, who copied it from a letter, may not enter requests.
        ValueError: nothing or too much is stated; IdentifierNotUsable for what cannot be one.
        MoveNotAllowed: nobody waits for it.
    """
    if user is not None:
        rights.require(user, Right.ENTER)
    if not 1 <= len(identifiers) <= MOST_IDENTIFIERS:
        raise ValueError(
            f"identifiers has {len(identifiers)} entries; allowed are 1 to {MOST_IDENTIFIERS}."
        )
    stated = [[kind, normalise(kind, value)] for kind, value in identifiers]
    request = ErasureRequest.objects.select_for_update().get(pk=case_id)
    question = question_of(request)
    if request.status != S.INFO_ASKED or question is None or request.outcome:
        raise MoveNotAllowed(f"Case {request.reference} does not wait for an answer.")
    details, _ = PersonalDetails.objects.get_or_create(request=request)
    details.identifiers = [*details.identifiers, *stated]
    details.save(update_fields=["identifiers"])
    IdentityCheck.objects.filter(pk=question.pk).update(received_at=now)
    event = ("info_received", {"identifiers": len(stated)})
    actor = actor_of(user) if user else log.SUBJECT
    move(case_id=case_id, to=question.asked_from, now=now, actor=actor, event=event)


@transaction.atomic
def close_unidentified(*, case_id: UUID, reason: str, user: User, now: datetime) -> bool:
    """Close a case whose person cannot be identified (Art. 11(2)); they are told how to give more.

    Raises:
        NotAllowed: the member of staff may not handle cases.
        ValueError: the reason is not one of ``NOT_IDENTIFIED``.
        MoveNotAllowed: the person was identified, or the case is decided or closed.
    """
    rights.require(user, Right.HANDLE)
    _one_of("reason", reason, NOT_IDENTIFIED)
    request = ErasureRequest.objects.select_for_update().get(pk=case_id)
    if request.status not in (*OPEN, S.INFO_ASKED) or request.outcome or request.subject:
        known = "the person is identified" if request.subject else f"it is {request.status}"
        raise MoveNotAllowed(
            f"Case {request.reference} cannot be closed as not identified: {known}."
        )
    closed = ErasureRequest.objects.filter(pk=case_id, outcome=Outcome.OPEN).update(
        outcome=Outcome.NOT_IDENTIFIED, refusal_code=reason, confirm_digest=""
    )
    data = {"reason": reason}
    log.append(
        type="person_not_identified", case=case_id, now=now, actor=actor_of(user), data=data
    )
    return bool(closed)


def _undecided(case_id: UUID) -> ErasureRequest:
    request = ErasureRequest.objects.select_for_update().get(pk=case_id)
    closing = request.outcome and request.outcome != Outcome.NO_DATA_FOUND
    if request.status not in OPEN or closing:
        raise MoveNotAllowed(
            f"Case {request.reference} is {request.status}; who asks is made sure of only while "
            f"it is {' or '.join(OPEN)} and undecided."
        )
    return request


def _one_of(name: str, value: str, allowed: dict[str, str]) -> None:
    if value not in allowed:
        raise ValueError(f"{name} is {value!r}; allowed are {', '.join(allowed)}.")
