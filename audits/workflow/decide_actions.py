"""What staff decide about requests and holds: each is one call and one ring of the doorbell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils import timezone

from audits.core import assessment
from audits.models import Decision
from audits.services import deciding, exceptions, holds, objections
from audits.workflow import doorbell
from audits.workflow.refused import logged

if TYPE_CHECKING:
    from datetime import date
    from uuid import UUID

    from django.contrib.auth.models import User

    from audits.models import ErasureRequest, LegalHold
    from lineage.models import Dataset


@logged
def accept(
    *,
    case_id: UUID,
    ground: str,
    user: User,
    assessed: assessment.Assessed | None = None,
) -> Decision:
    """Propose to accept a confirmed request; where one person is enough, the erasure starts.

    Without an assessment only the ground is known, and the decision says so.
    """
    decision = deciding.accept_request(
        case_id=case_id,
        assessed=assessed or assessment.by_code(ground),
        user=user,
        now=timezone.now(),
    )
    _wake_decided(decision)
    return decision


@logged
def refuse(
    *, case_id: UUID, code: str, user: User, assessed: assessment.Assessed | None = None
) -> Decision:
    """Propose to refuse for a coded reason; where one person is enough, the person is answered."""
    decision = deciding.refuse_request(
        case_id=case_id,
        code=code,
        assessed=assessed or assessment.Assessed(),
        user=user,
        now=timezone.now(),
    )
    _wake_decided(decision)
    return decision


@logged
def decide_objection(*, case_id: UUID, upheld: bool, text: str, user: User) -> Decision:
    """Record the balance of an objection, and propose what follows from it."""
    decision = objections.decide_objection(
        case_id=case_id, upheld=upheld, text=text, user=user, now=timezone.now()
    )
    _wake_decided(decision)
    return decision


@logged
def approve_decision(*, decision: Decision, user: User) -> None:
    """Approve what somebody else proposed, as it was shown, and carry it out."""
    deciding.approve_decision(decision_id=decision.pk, user=user, now=timezone.now())
    doorbell.wake(decision.request_id)


@logged
def return_decision(*, decision: Decision, note: str, user: User) -> None:
    """Send a proposed decision back with a note."""
    deciding.return_decision(decision_id=decision.pk, note=note, user=user, now=timezone.now())


@logged
def erase_excepted(*, exception_id: UUID, user: User) -> ErasureRequest:
    """Open the case that erases what an ended exception kept."""
    case = exceptions.open_follow_up(exception_id=exception_id, user=user, now=timezone.now())
    doorbell.wake(case.pk)
    return case


@logged
def note_place_erased(*, exception_id: UUID, user: User) -> bool:
    """Note that a place was erased from, of which an exception ended."""
    return exceptions.note_place_erased(exception_id=exception_id, user=user, now=timezone.now())


def place_hold(
    *,
    kind: str,
    basis: str,
    review_on: date,
    user: User,
    identifier: str = "",
    dataset: Dataset | None = None,
) -> LegalHold:
    """Put a person or a data set under a legal hold."""
    return holds.place_hold(
        kind=kind,
        basis=basis,
        review_on=review_on,
        user=user,
        identifier=identifier,
        dataset=dataset,
        now=timezone.now(),
    )


def release_hold(*, hold_id: UUID, user: User) -> bool:
    """Release a legal hold; the sweep lets the cases go on that it stopped."""
    return holds.release_hold(hold_id=hold_id, user=user, now=timezone.now())


def _wake_decided(decision: Decision) -> None:
    if decision.state == Decision.State.APPROVED:  # one person was enough
        doorbell.wake(decision.request_id)
