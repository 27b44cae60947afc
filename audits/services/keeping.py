"""Say of a case that closes until when it can say whose it was."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from audits.core.case_retention import days_of
from audits.models import CaseRetention, ErasureRequest
from audits.queries.clocks import today
from audits.queries.identity import sealed_person
from audits.queries.policy_values import in_force

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID


def note_closing(*, case_id: UUID, now: datetime) -> CaseRetention:
    """Store the end of a case's retention, once; later settings do not change it.

    Raises:
        KeyError: nobody said for how long a case with such an outcome is kept.
    """
    request = ErasureRequest.objects.get(pk=case_id)
    days = days_of(
        request.outcome,
        default=in_force("CASE_DAYS"),
        by_outcome=in_force("CASE_DAYS_BY_OUTCOME"),
    )
    closed_on = today(now)
    kept, _ = CaseRetention.objects.get_or_create(
        request=request,
        defaults={
            "closed_on": closed_on,
            "days": days,
            "until": closed_on + timedelta(days=days),
            "person": sealed_person(request) if days else b"",
        },
    )
    return kept
