"""Propose, approve and send back decisions about requests (docs/decisions.md).

The case stays where it is while a proposal waits; approving it moves the case.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction

from audits.core.grounds import GROUNDS, REFUSALS, RESTRICTIONS, UNFOUNDED
from audits.core.roles import Right
from audits.models import (
    Decision,
    ErasureRequest,
    GroundFinding,
    LocationException,
    ProcessingStop,
)
from audits.services import balancing, deciding_checks, four_eyes, log, stopping
from audits.services.actors import actor_of
from audits.services.rights import require
from audits.services.transitions import MoveNotAllowed, move
from lineage.core.worded import worded, worded_of

if TYPE_CHECKING:
    from datetime import date, datetime
    from uuid import UUID

    from django.contrib.auth.models import User

    from audits.core.assessment import Assessed

S = ErasureRequest.Status
Kind, State = Decision.Kind, Decision.State
LEADS_TO = {Kind.ACCEPT: S.ACCEPTED, Kind.REFUSE: S.REFUSED}
# What one person decides alone, by EXPUNGE_SECOND_PERSON.
ALONE: dict[str, tuple[str, ...]] = {
    "ALWAYS": (),
    "REFUSALS": (Kind.ACCEPT,),
    "NEVER": (Kind.ACCEPT, Kind.REFUSE),
}


def one_is_enough(decision: Decision) -> bool:
    """Return whether a decision needs no second person, which an unfounded request always does."""
    alone = ALONE[settings.EXPUNGE_SECOND_PERSON]
    return decision.kind in alone and decision.refusal_code != UNFOUNDED


def accept_request(*, case_id: UUID, assessed: Assessed, user: User, now: datetime) -> Decision:
    """Propose to erase on grounds of Art. 17(1), and do so at once where one person is enough.

    A request of Art. 18 is accepted on grounds of that article, and nothing is erased.

    Raises:
        ValueError: a ground or an exception is not one of the law, or something is not said.
        NotAllowed: the member of staff may not handle cases.
        NotYourDecision: it is their own request.
        MoveNotAllowed: the person has not confirmed or is not identified, their agent showed no
            mandate, the case has gone on or closes by itself, another decision is proposed, or
            the exceptions leave nothing to erase.
    """
    require(user, Right.HANDLE)
    asked = ErasureRequest.objects.only("kind").get(pk=case_id)
    assessed.check_acceptance(local_day(now), allowed=grounds_of(asked))
    return _propose(case_id, Decision(kind=Kind.ACCEPT), assessed, user, now)


def refuse_request(
    *, case_id: UUID, code: str, assessed: Assessed, user: User, now: datetime
) -> Decision:
    """Propose to refuse for a coded reason, and do so at once where one person is enough.

    Raises:
        ValueError: the code is not in ``REFUSALS``, or it needs evidence that is not given.
        NotAllowed, NotYourDecision, MoveNotAllowed: as ``accept_request``; also where the case
            holds an objection whose balance is not decided, or needs none.
    """
    require(user, Right.HANDLE)
    assessed.check_refusal(code)
    return _propose(case_id, Decision(kind=Kind.REFUSE, refusal_code=code), assessed, user, now)


@transaction.atomic
def approve_decision(*, decision_id: UUID, user: User, now: datetime) -> None:
    """Approve what somebody else proposed, and carry it out.

    Raises:
        NotAllowed: the member of staff may not approve.
        NotYourDecision: they proposed it, or it is their own request.
        MoveNotAllowed: it waits no more, or the case has gone on.
    """
    require(user, Right.REVIEW)
    decision = _waiting(decision_id, user, "APPROVE_DECISION")
    decision.approved_by = user
    decision.exceptions.update(reviewer=user)
    _carry_out(decision, user, now)


@transaction.atomic
def return_decision(*, decision_id: UUID, note: str, user: User, now: datetime) -> None:
    """Send a proposed decision back, with a note for whoever proposed it.

    Raises:
        ValueError: the note is empty.
        NotAllowed, NotYourDecision, MoveNotAllowed: as ``approve_decision``.
    """
    require(user, Right.REVIEW)
    if not note.strip():
        raise ValueError(worded_of("note", "It is empty; say what has to change."))
    decision = _waiting(decision_id, user, "RETURN_DECISION")
    decision.state, decision.returned_by, decision.return_note = State.RETURNED, user, note.strip()
    decision.save()
    _log("decision_returned", decision, user, now)


def grounds_of(request: ErasureRequest) -> tuple[str, ...]:
    """Return the codes on which a request of its kind can be accepted."""
    return tuple(RESTRICTIONS) if request.kind == ErasureRequest.Kind.RESTRICTION else GROUNDS


def local_day(now: datetime) -> date:
    """Return the day of a moment where the legal clock runs."""
    return now.astimezone(ZoneInfo(settings.EXPUNGE_CLOCK_ZONE)).date()


@transaction.atomic
def _propose(
    case_id: UUID, decision: Decision, assessed: Assessed, user: User, now: datetime
) -> Decision:
    require(user, Right.HANDLE)
    request = ErasureRequest.objects.select_for_update().get(pk=case_id)
    four_eyes.check_stranger(request=request, user=user, action=f"PROPOSE_{decision.kind}")
    deciding_checks.check_open(request, LEADS_TO[Kind(decision.kind)])
    if decision.kind == Kind.ACCEPT:
        deciding_checks.check_identified(request)
    else:
        balancing.check_balanced(request, decision.refusal_code)
    decision.request, decision.proposed_by, decision.proposed_at = request, user, now
    decision.assessment, decision.evidence = assessed.assessment, assessed.evidence.strip()
    decision.legal_position_note = assessed.position
    decision.save(force_insert=True)
    _keep(decision, assessed)
    _log("decision_proposed", decision, user, now)
    if one_is_enough(decision):
        _carry_out(decision, user, now)
    return decision


def _keep(decision: Decision, assessed: Assessed) -> None:
    for ground in assessed.grounds:
        GroundFinding.objects.create(
            decision=decision,
            code=ground.code,
            purpose=ground.purpose,
            assessment=ground.assessment,
            other_ground=ground.other_ground,
        )
    for one in assessed.excepted:
        LocationException.objects.create(
            decision=decision,
            dataset_id=one.dataset,
            place=one.place.strip(),
            code=one.code,
            basis=one.basis,
            scope=one.scope,
            until=one.until,
        )
    deciding_checks.check_something_left(decision)


def _waiting(decision_id: UUID, user: User, action: str) -> Decision:
    # The case first, as whoever proposes or withdraws locks it first.
    found = Decision.objects.get(pk=decision_id)
    request = ErasureRequest.objects.select_for_update().get(pk=found.request_id)
    four_eyes.check_stranger(request=request, user=user, action=action)
    decision = Decision.objects.select_for_update().get(pk=decision_id)
    four_eyes.check_second(decision=decision, user=user, action=action)
    if decision.state != State.PROPOSED:
        raise MoveNotAllowed(
            worded(
                "Case %(case)s: this decision waits no more; it is %(state)s.",
                case=request.reference,
                state=decision.get_state_display().lower(),
            )
        )
    return decision


def _carry_out(decision: Decision, user: User, now: datetime) -> None:
    deciding_checks.check_something_left(decision)
    decision.state, decision.approved_at = State.APPROVED, now
    decision.save()
    if decision.approved_by:
        _log("decision_approved", decision, user, now)
    if decision.kind == Kind.ACCEPT:
        _accept(decision, user, now)
    else:
        _refuse(decision, user, now)


def _refuse(decision: Decision, user: User, now: datetime) -> None:
    """Refuse; what was restricted before stays so until the person was told of its end."""
    code = decision.refusal_code
    _move(
        decision,
        user,
        now,
        event=("request_refused", {"code": code}),
        fields={"refusal_code": code, "outcome": ErasureRequest.Outcome.REFUSED},
    )
    request = decision.request
    stop = ProcessingStop.objects.filter(request=request).exclude(stopped_at=None).first()
    if stop:
        reason = stop.balance_text or f"{REFUSALS[code]}."
        stopping.announce(request=request, reason=reason, now=now, actor=actor_of(user))


def _accept(decision: Decision, user: User, now: datetime) -> None:
    codes = list(decision.grounds.order_by("pk").values_list("code", flat=True))
    _move(
        decision,
        user,
        now,
        event=("request_accepted", {"ground": codes[0]}),
        fields={"ground": codes[0], "accepted_at": now, "accepted_by": user},
    )
    for code in codes:
        found = {"decision": str(decision.pk), "ground": code}
        _append("ground_found", decision, user, now, found)
    for one in decision.exceptions.order_by("until", "pk"):
        kept = {"exception": str(one.pk), "code": one.code, "until": one.until.isoformat()}
        _append("exception_recorded", decision, user, now, kept)


def _move(decision: Decision, user: User, now: datetime, **what: Any) -> None:  # noqa: ANN401  (as ``move``)
    to = LEADS_TO[Kind(decision.kind)]
    move(case_id=decision.request_id, to=to, now=now, actor=actor_of(user), **what)


def _log(kind: str, decision: Decision, user: User, now: datetime) -> None:
    data = {"decision": str(decision.pk), "kind": str(decision.kind)}
    _append(kind, decision, user, now, data)


def _append(
    kind: str, decision: Decision, user: User, now: datetime, data: dict[str, str]
) -> None:
    log.append(type=kind, case=decision.request_id, now=now, actor=actor_of(user), data=data)
