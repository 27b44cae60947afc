"""What is done about how long closed cases are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils import timezone

from audits.services import retention
from audits.workflow.refused import logged

if TYPE_CHECKING:
    from datetime import date
    from uuid import UUID

    from django.contrib.auth.models import User


@logged
def keep_longer(*, case_id: UUID, until: date, reason: str, user: User) -> None:
    """Keep a closed case until a later day, because of a complaint or a proceeding."""
    retention.keep_longer(
        case_id=case_id, until=until, reason=reason, user=user, now=timezone.now()
    )
