"""What staff do about the owners of models and their budgets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils import timezone

from audits.services import owner_budgets
from audits.workflow import doorbell
from audits.workflow.refused import logged

if TYPE_CHECKING:
    from uuid import UUID

    from django.contrib.auth.models import User

    from audits.models import ModelOwner


def set_budget(
    *, name: str, seconds: float | None, runs: int | None, lead_days: int, user: User
) -> ModelOwner:
    """Make an owner of models, or change the budget of the one with this name."""
    return owner_budgets.set_budget(
        name=name, seconds=seconds, runs=runs, lead_days=lead_days, user=user, now=timezone.now()
    )


def set_owner(*, version_id: UUID, owner_id: UUID | None, user: User) -> None:
    """Say whose the model of a version is; None: nobody's."""
    owner_budgets.set_owner(
        version_id=version_id, owner_id=owner_id, user=user, now=timezone.now()
    )


@logged
def lift_budget(*, case_id: UUID, reason: str, user: User) -> None:
    """Let a case go on whatever the owners of its models spent."""
    owner_budgets.lift(case_id=case_id, reason=reason, user=user, now=timezone.now())
    doorbell.wake(case_id)
