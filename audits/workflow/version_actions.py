"""What staff do about a version that is to stay as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils import timezone

from audits.services import version_exceptions
from audits.workflow import doorbell
from audits.workflow.refused import logged

if TYPE_CHECKING:
    from datetime import date
    from uuid import UUID

    from django.contrib.auth.models import User

    from lineage.models import ModelVersion


@logged
def propose_exception(
    *, case_id: UUID, version: ModelVersion, code: str, reason: str, until: date, user: User
) -> None:
    """Propose that a version stays; the case goes on meanwhile."""
    version_exceptions.propose(
        case_id=case_id,
        version=version,
        code=code,
        reason=reason,
        until=until,
        user=user,
        now=timezone.now(),
    )


def approve_exception(*, exception_id: int, user: User) -> None:
    """Let a version stay, and the case go on without it."""
    found = version_exceptions.approve(exception_id=exception_id, user=user, now=timezone.now())
    doorbell.wake(found.request_id)


def drop_exception(*, exception_id: int, user: User) -> None:
    """Take back what nobody approved."""
    version_exceptions.drop(exception_id=exception_id, user=user)
