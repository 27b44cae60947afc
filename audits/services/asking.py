"""Ask a person for more where we cannot tell who they are, once, and take the answer (Art. 11(2)).

The page on which the person answers lies under a signed name of the question.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.core import signing
from django.db import transaction
from django.utils.translation import gettext as _

from audits.core.identity import AGENT_WITHOUT_MANDATE, DOUBTS, one_of
from audits.core.regimes import PauseReason
from audits.core.roles import Right
from audits.models import ClockPause, ErasureRequest, IdentityCheck, PersonalDetails
from audits.queries.decisions import lacks_mandate, proposed
from audits.queries.mandates import mandate_question
from audits.services import four_eyes, log, rights
from audits.services.actors import actor_of
from audits.services.pauses import end_pause
from audits.services.transitions import MoveNotAllowed, move
from lineage.core.identifiers import normalise
from lineage.core.worded import worded, worded_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from django.contrib.auth.models import User

S = ErasureRequest.Status
ANSWER_SALT = "audits.answer"
MOST_IDENTIFIERS = 10
OPEN = (S.RECEIVED, S.VERIFIED)


class AnswerNotUsable(Exception):
    """The link of a question is altered or was answered; the sentence says which."""


@transaction.atomic
def ask_information(*, case_id: UUID, doubt: str, user: User, now: datetime) -> None:
    """Ask the person for more, for a coded reason; the clock runs on.

    Raises:
        NotAllowed: the member of staff may not handle cases.
        NotYourDecision: it is their own request.
        ValueError: the reason is not one of ``DOUBTS``.
        MoveNotAllowed: the case is decided or closed, a decision is proposed, or the person was
            asked before; an agent is asked for the mandate once beside that.
    """
    rights.require(user, Right.HANDLE)
    four_eyes.check_stranger_to(case_id=case_id, user=user, action="ASK_INFORMATION")
    one_of("doubt", doubt, DOUBTS)
    request = undecided(case_id)
    if doubt == AGENT_WITHOUT_MANDATE:
        _check_agent(request)
    elif was_asked(request):
        raise MoveNotAllowed(
            worded(
                "Case %(case)s: the person was asked for more already; asking again and "
                "again would hinder them. Decide on what is there.",
                case=request.reference,
            )
        )
    ask(request, doubt, actor_of(user), now)


def ask(request: ErasureRequest, doubt: str, actor: str, now: datetime) -> None:
    """Wait for the person to tell more; the letter is the workflow's. Within a transaction."""
    IdentityCheck.objects.create(
        request=request, doubt=doubt, asked_at=now, asked_from=request.status
    )
    event = ("info_asked", {"doubt": doubt})
    # That nothing was found closes no case while somebody is asked for more.
    fields = {"outcome": ErasureRequest.Outcome.OPEN}
    move(case_id=request.pk, to=S.INFO_ASKED, now=now, actor=actor, event=event, fields=fields)


def _check_agent(request: ErasureRequest) -> None:
    if not lacks_mandate(request) or mandate_question(request):
        raise MoveNotAllowed(
            worded(
                "Case %(case)s: no agent owes a mandate, or was asked for it already.",
                case=request.reference,
            )
        )


def was_asked(request: ErasureRequest) -> bool:
    """Return whether the person was asked for more before, an agent's mandate apart."""
    asked = [one for one in request.identity_checks.all() if one.asked_at]
    return any(one.doubt != AGENT_WITHOUT_MANDATE for one in asked)


def question_of(request: ErasureRequest) -> IdentityCheck | None:
    """Return the last question, where nobody has answered it yet."""
    asked = request.identity_checks.filter(received_at=None).exclude(asked_at=None)
    return asked.order_by("asked_at").last()


def answer_token(question: IdentityCheck) -> str:
    """Return the secret of the page on which the person answers; the same each time."""
    return signing.Signer(salt=ANSWER_SALT).sign(str(question.pk))


def question_of_link(token: str) -> IdentityCheck:
    """Return the open question of a link.

    Raises:
        AnswerNotUsable: the link is altered, or nobody waits for its answer any more, also where
            something else was asked since.
    """
    try:
        pk = signing.Signer(salt=ANSWER_SALT).unsign(token)
    except signing.BadSignature:
        raise AnswerNotUsable(
            _(
                "This link is not complete or was changed. Please copy the whole link from our "
                "letter."
            )
        ) from None
    question = IdentityCheck.objects.select_related("request").filter(pk=pk).first()
    waits = question is not None and question.request.status == S.INFO_ASKED
    if question is None or not waits or question != question_of(question.request):
        raise AnswerNotUsable(
            _(
                "We have your answer already, or the request is closed. The status page shows "
                "how far it is."
            )
        )
    return question


@transaction.atomic
def receive_information(
    *,
    case_id: UUID,
    identifiers: Sequence[tuple[str, str]],
    now: datetime,
    user: User | None = None,
    question_id: UUID | None = None,
) -> None:
    """Add what the person stated and let the case go on where it was; staff check it then.

    A clock that stood still for this answer goes on.

    Raises:
        NotAllowed: ``user``, who copied it from a letter, may not enter requests.
        NotYourDecision: it is the own request of ``user``.
        ValueError: nothing or too much is stated; IdentifierNotUsable for what cannot be one.
        MoveNotAllowed: nobody waits for it, or something else was asked than ``question_id``.
    """
    if user is not None:
        rights.require(user, Right.ENTER)
        four_eyes.check_stranger_to(case_id=case_id, user=user, action="RECEIVE_INFORMATION")
    if not 1 <= len(identifiers) <= MOST_IDENTIFIERS:
        raise ValueError(
            worded_of(
                "identifiers",
                "It has %(count)s entries; allowed are 1 to %(most)s.",
                count=len(identifiers),
                most=MOST_IDENTIFIERS,
            )
        )
    stated = [[kind, normalise(kind, value)] for kind, value in identifiers]
    question = _waiting(case_id)
    if question_id not in (None, question.pk):
        raise MoveNotAllowed(
            worded(
                "Case %(case)s: something else was asked since.", case=question.request.reference
            )
        )
    details, _ = PersonalDetails.objects.get_or_create(request_id=case_id)
    details.identifiers = [*details.identifiers, *stated]
    details.save(update_fields=["identifiers"])
    IdentityCheck.objects.filter(pk=question.pk).update(received_at=now)
    event = ("info_received", {"identifiers": len(stated)})
    actor = actor_of(user) if user else log.SUBJECT
    move(case_id=case_id, to=question.asked_from, now=now, actor=actor, event=event)
    end_identity_pause(case_id=case_id, now=now)


@transaction.atomic
def take_question_back(*, case_id: UUID, user: User, now: datetime) -> None:
    """Stop waiting for an answer: the case goes on where it was, with what is there.

    Raises:
        NotAllowed: the member of staff may not handle cases.
        NotYourDecision: it is their own request.
        MoveNotAllowed: nobody waits for an answer.
    """
    rights.require(user, Right.HANDLE)
    four_eyes.check_stranger_to(case_id=case_id, user=user, action="TAKE_QUESTION_BACK")
    question = _waiting(case_id)
    event = ("question_taken_back", {"doubt": question.doubt})
    move(case_id=case_id, to=question.asked_from, now=now, actor=actor_of(user), event=event)
    end_identity_pause(case_id=case_id, now=now, user=user)


def end_mandate_question(*, case_id: UUID, user: User, now: datetime) -> None:
    """Wait no longer for a mandate that was seen; within a transaction."""
    request = ErasureRequest.objects.select_for_update().get(pk=case_id)
    question = question_of(request)
    waits = request.status == S.INFO_ASKED and not request.outcome
    if not waits or question is None or question.doubt != AGENT_WITHOUT_MANDATE:
        return
    IdentityCheck.objects.filter(pk=question.pk).update(received_at=now)
    event = ("info_received", {"identifiers": 0})
    move(case_id=case_id, to=question.asked_from, now=now, actor=actor_of(user), event=event)
    end_identity_pause(case_id=case_id, now=now)


def end_identity_pause(*, case_id: UUID, now: datetime, user: User | None = None) -> None:
    """Let the clock go on that stood still for an answer: nobody waits for the person any more."""
    paused = ClockPause.objects.filter(request_id=case_id, until=None)
    if paused.filter(reason=PauseReason.IDENTITY).exists():
        end_pause(case_id=case_id, now=now, user=user)


def _waiting(case_id: UUID) -> IdentityCheck:
    request = ErasureRequest.objects.select_for_update().get(pk=case_id)
    question = question_of(request)
    if request.status != S.INFO_ASKED or question is None or request.outcome:
        raise MoveNotAllowed(
            worded("Case %(case)s does not wait for an answer.", case=request.reference)
        )
    return question


def undecided(case_id: UUID) -> ErasureRequest:
    """Return a case of which who asks may still be found out, locked. Raises MoveNotAllowed."""
    request = ErasureRequest.objects.select_for_update().get(pk=case_id)
    closing = request.outcome and request.outcome != ErasureRequest.Outcome.NO_DATA_FOUND
    if request.status not in OPEN or closing:
        raise MoveNotAllowed(
            worded(
                "Case %(case)s is %(state)s; who asks is made sure of only while it is "
                "%(either)s and undecided.",
                case=request.reference,
                state=request.status,
                either=" or ".join(OPEN),
            )
        )
    check_unproposed(request)
    return request


def check_unproposed(request: ErasureRequest) -> None:
    """Refuse to change who asks under a proposal: whoever approves it saw that one person."""
    if proposed(request):
        raise MoveNotAllowed(
            worded(
                "Case %(case)s: a decision about this person is proposed. Have it sent back "
                "before you change who asks.",
                case=request.reference,
            )
        )
