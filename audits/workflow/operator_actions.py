"""What staff do about the operator's own cases: each is one call and one ring of the doorbell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils import timezone

from audits.services import operator_cases
from audits.workflow import doorbell
from audits.workflow.refused import logged

if TYPE_CHECKING:
    from uuid import UUID

    from django.contrib.auth.models import User
    from pyroaring import BitMap

    from audits.models import OperatorCase


def open_case(*, new: operator_cases.NewCase, user: User) -> OperatorCase:
    """Open a case; the records of its version are scored in a worker."""
    case = operator_cases.open_case(new=new, user=user, now=timezone.now())
    doorbell.wake(case.pk)
    return case


@logged
def choose_records(*, case_id: UUID, ordinals: BitMap, user: User) -> None:
    """Replace the records that are to leave the training."""
    operator_cases.choose(case_id=case_id, ordinals=ordinals, user=user)


@logged
def propose_forget_set(*, case_id: UUID, user: User) -> None:
    """Ask a second member of staff for approval."""
    operator_cases.propose(case_id=case_id, user=user, now=timezone.now())


@logged
def return_forget_set(*, case_id: UUID, user: User) -> None:
    """Have a proposed forget set chosen anew."""
    operator_cases.send_back(case_id=case_id, user=user, now=timezone.now())


@logged
def approve_forget_set(*, case_id: UUID, digest: str, user: User) -> None:
    """Approve a forget set as it was shown, and start the unlearning."""
    operator_cases.approve(case_id=case_id, digest=digest, user=user, now=timezone.now())
    doorbell.wake(case_id)


@logged
def drop_case(*, case_id: UUID, user: User) -> None:
    """Close a case that was not approved."""
    operator_cases.drop(case_id=case_id, user=user, now=timezone.now())
    doorbell.wake(case_id)
