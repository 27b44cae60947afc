"""Take in what came by post, telephone, in person or from another system (Art. 12(2)).

The clock runs from the true receipt, whenever it was stored.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction

from audits.core.commitment import commit
from audits.core.roles import Right
from audits.models import ErasureRequest, Intake
from audits.services import asking, four_eyes, identifying, log, rights
from audits.services.actors import actor_of
from audits.services.receipts import EntryRefused, check_receipt, check_stated
from audits.services.receiving import Received, Told, Wish, receive_request
from audits.services.transitions import MoveNotAllowed
from lineage import keys
from lineage.core.identifiers import normalise
from lineage.core.worded import not_among, worded, worded_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime
    from uuid import UUID

    from django.contrib.auth.models import User

    from audits.core.identity import Check

CHANNELS = {
    "POST": "By post",
    "PHONE": "By telephone",
    "IN_PERSON": "In person",
    "EMAIL": "By e-mail",
}
API = "API"
AnswerBy = Intake.AnswerBy
LATE = timedelta(days=92)
ANSWERED_AS = {"POST": AnswerBy.LETTER, "EMAIL": AnswerBy.EMAIL}


class KeyReused(Exception):
    """An idempotency key stands for another request already."""


@dataclass(frozen=True, kw_only=True)
class Agent:
    """Who asks for the person: whether a mandate was seen, and who gets the answer."""

    mandate_seen: bool = False
    mandate_digest: str = ""
    answer_to_agent: bool = False


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A request as a member of staff has it before them.

    * ``channel``: one of ``CHANNELS``; ``received_at``: when it came, not when it is entered;
    * ``answer_by``: EMAIL or LETTER as the person asked, "" for the channel it came by;
    * ``old_confirmed``: a receipt of more than three months ago is no slip;
    * ``check``: how identity was checked already, None where the link or a later check does it.
    """

    channel: str
    received_at: datetime
    email: str = ""
    wish: Wish = field(default_factory=Wish)
    told: Told = field(default_factory=Told)
    answer_by: str = ""
    agent: Agent | None = None
    old_confirmed: bool = False
    check: Check | None = None


@transaction.atomic
def enter_request(*, entry: Entry, user: User, now: datetime) -> Received:
    """Store a request with its true receipt; nothing is searched before identity is sure.

    Raises:
        NotAllowed: the member of staff may not enter requests.
        EntryRefused: the receipt lies ahead, or long ago unconfirmed; nobody is named; the
            answer cannot go where it is to go; or they checked their own identity.
        IdentifierNotUsable: an identifier cannot be one.
    """
    rights.require(user, Right.ENTER)
    _check(entry, now)
    received = receive_request(
        email=entry.email,
        channel=entry.channel,
        now=now,
        received_at=entry.received_at,
        wish=entry.wish,
        told=_spelled(entry.told),
    )
    agent = entry.agent or Agent()
    intake = Intake.objects.create(
        request=received.request,
        source=Intake.Source.STAFF,
        entered_at=now,
        entered_by=user,
        answer_by=entry.answer_by or answer_by_default(entry),
        answer_by_asked=bool(entry.answer_by),
        by_agent=entry.agent is not None,
        mandate_seen=agent.mandate_seen,
        mandate_digest=agent.mandate_digest,
        answer_to_agent=agent.answer_to_agent,
    )
    _log_entry(intake, actor_of(user), now)
    if entry.check:
        _refuse_own(received.request, user)
        identifying.note_check(case_id=received.request.pk, check=entry.check, user=user, now=now)
        received.request.refresh_from_db()
        _refuse_own(received.request, user)
    return received


def _refuse_own(request: ErasureRequest, user: User) -> None:
    try:
        four_eyes.check_stranger(request=request, user=user, action="CHECK_IDENTITY")
    except four_eyes.NotYourDecision:
        raise EntryRefused(
            worded(
                "This is your own request, by the e-mail address of your account: nobody "
                "checks who asks of themselves. Enter it without a check; somebody else "
                "makes sure."
            )
        ) from None


@transaction.atomic
def enter_by_key(  # noqa: PLR0913  (what a call says)
    *,
    key_name: str,
    idempotency: str,
    email: str,
    now: datetime,
    received_at: datetime | None = None,
    wish: Wish | None = None,
    told: Told | None = None,
) -> tuple[Received | None, ErasureRequest]:
    """Store a request that another system sends; (None, case) where this call was made before.

    Raises:
        EntryRefused: the receipt lies ahead, or more than a year back.
        KeyReused: the same idempotency key came with another content.
        IdentifierNotUsable: an identifier cannot be one.
    """
    if received_at:
        check_stated(received_at, now)
    wish, told = wish or Wish(), _spelled(told or Told())
    content = {"email": email, "wish": str(wish), "told": str(told), "at": str(received_at)}
    name = hashlib.sha256(f"{key_name}\0{idempotency}".encode()).hexdigest()
    known = Intake.objects.select_related("request").filter(idempotency=name).first()
    if known:
        if known.content != _commit(known.request_id, content):
            raise KeyReused(
                "This Idempotency-Key came with another request before; send a new key with a "
                "new request."
            )
        return None, known.request
    received = receive_request(
        email=email, channel=API, now=now, received_at=received_at, wish=wish, told=told
    )
    intake = Intake.objects.create(
        request=received.request,
        source=Intake.Source.API,
        entered_at=now,
        key_name=key_name,
        idempotency=name,
        content=_commit(received.request.pk, content),
    )
    _log_entry(intake, log.SYSTEM, now)
    return received, received.request


def free_key(*, case_id: UUID) -> None:
    """Let the call that made a case be made again, as nobody can confirm that case."""
    Intake.objects.filter(pk=case_id).update(idempotency=None)


@transaction.atomic
def see_mandate(*, case_id: UUID, digest: str, user: User, now: datetime) -> bool:
    """Record that the mandate of an agent was seen; of the document only the digest is kept.

    A case that waited for it goes on where it was.

    Raises:
        NotAllowed: the member of staff may not enter requests.
        NotYourDecision: it is their own request.
        MoveNotAllowed: no agent sent this request.
    """
    rights.require(user, Right.ENTER)
    four_eyes.check_stranger_to(case_id=case_id, user=user, action="SEE_MANDATE")
    intake = Intake.objects.filter(pk=case_id, by_agent=True)
    if not intake.exists():
        reference = ErasureRequest.objects.get(pk=case_id).reference
        raise MoveNotAllowed(worded("Case %(case)s was not sent by an agent.", case=reference))
    seen = intake.filter(mandate_seen=False).update(mandate_seen=True, mandate_digest=digest)
    if seen:
        log.append(type="mandate_seen", case=case_id, now=now, actor=actor_of(user))
        asking.end_mandate_question(case_id=case_id, user=user, now=now)
        identifying.identify_again(case_id=case_id, now=now)
    return bool(seen)


def answer_by_default(entry: Entry) -> AnswerBy:
    """Return how a request is answered where nothing was asked for: as it came (Art. 12(3))."""
    reachable = AnswerBy.EMAIL if entry.email else AnswerBy.LETTER
    return ANSWERED_AS.get(entry.channel, reachable)


def _check(entry: Entry, now: datetime) -> None:
    if entry.channel not in CHANNELS:
        raise EntryRefused(not_among("channel", entry.channel, CHANNELS))
    check_receipt(entry.received_at, now)
    if now - entry.received_at > LATE and not entry.old_confirmed:
        raise EntryRefused(
            worded_of(
                "received_at",
                "It is %(received_at)s, more than three months ago: the answer is long "
                "overdue. Confirm that this is the day on which it came.",
                received_at=f"{entry.received_at:%Y-%m-%d}",
            )
        )
    if not (entry.email or entry.told.identifiers):
        raise EntryRefused(worded("Nobody is named: give an e-mail address or an identifier."))
    _check_answer(entry)


def _check_answer(entry: Entry) -> None:
    if entry.answer_by and entry.answer_by not in AnswerBy.values:
        raise EntryRefused(not_among("answer_by", entry.answer_by, AnswerBy.values))
    if entry.agent is not None and not entry.told.agent_name:
        raise EntryRefused(worded_of("agent_name", "It is empty; say who asks for the person."))
    to_agent = entry.agent is not None and entry.agent.answer_to_agent
    if to_agent and not entry.told.agent_contact:
        raise EntryRefused(
            worded_of("agent_contact", "It is empty; the answer is to go to the agent.")
        )
    answer_by = entry.answer_by or answer_by_default(entry)
    if answer_by == AnswerBy.EMAIL and not (to_agent or entry.email):
        raise EntryRefused(worded_of("email", "It is empty; the answer is to go by e-mail."))
    if answer_by == AnswerBy.LETTER and not (to_agent or entry.told.postal_address):
        raise EntryRefused(
            worded_of("postal_address", "It is empty; the answer is to go by letter.")
        )


def _spelled(told: Told) -> Told:
    stated = tuple((kind, normalise(kind, value)) for kind, value in told.identifiers)
    return Told(**{**vars(told), "identifiers": stated})


def _commit(case_id: UUID, content: Mapping[str, Any]) -> str:
    # Under the key of the case, so that it says nothing once that is destroyed.
    return commit(keys.get(f"case:{case_id}"), content)


def _log_entry(intake: Intake, actor: str, now: datetime) -> None:
    data = {
        "source": intake.source,
        "received_on": _day(intake.request.received_at).isoformat(),
        "entered_on": _day(now).isoformat(),
        "answer_by": intake.answer_by,
        "agent": intake.by_agent,
        "mandate_seen": intake.mandate_seen,
    }
    log.append(type="request_entered", case=intake.request_id, now=now, actor=actor, data=data)


def _day(at: datetime) -> date:
    return at.astimezone(ZoneInfo(settings.EXPUNGE_CLOCK_ZONE)).date()
