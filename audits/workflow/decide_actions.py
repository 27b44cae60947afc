"""What staff decide about requests and holds: each is one call and one ring of the doorbell.

An action that four eyes forbid is logged, although nothing else of it is kept.
"""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from django.utils import timezone

from audits.core import assessment
from audits.models import Decision
from audits.services import deciding, exceptions, four_eyes, holds
from audits.services.requests import actor_of
from audits.workflow import doorbell

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date
    from uuid import UUID

    from django.contrib.auth.models import User

    from audits.models import ErasureRequest, LegalHold
    from lineage.models import Dataset

P = ParamSpec("P")
R = TypeVar("R")


def noted(action: Callable[P, R]) -> Callable[P, R]:
    """Log it when four eyes forbid what a member of staff, named ``user``, wants to do."""

    @wraps(action)
    def tried(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return action(*args, **kwargs)
        except four_eyes.NotYourDecision as refused:
            actor = actor_of(kwargs["user"])  # type: ignore[arg-type]  # every action has one
            four_eyes.note_refusal(refused=refused, actor=actor, now=timezone.now())
            raise

    return tried


@noted
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


@noted
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


@noted
def approve_decision(*, decision: Decision, user: User) -> None:
    """Approve what somebody else proposed, as it was shown, and carry it out."""
    deciding.approve_decision(decision_id=decision.pk, user=user, now=timezone.now())
    doorbell.wake(decision.request_id)


@noted
def return_decision(*, decision: Decision, note: str, user: User) -> None:
    """Send a proposed decision back with a note."""
    deciding.return_decision(decision_id=decision.pk, note=note, user=user, now=timezone.now())


@noted
def erase_excepted(*, exception_id: UUID, user: User) -> ErasureRequest:
    """Open the case that erases what an ended exception kept."""
    case = exceptions.open_follow_up(exception_id=exception_id, user=user, now=timezone.now())
    doorbell.wake(case.pk)
    return case


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
