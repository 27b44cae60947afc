"""What the traces say of the moves of a case, and of its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from audits.models import ErasureRequest
from lineage.core import spans

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID


S = ErasureRequest.Status
LAST = (S.SEALED, S.EXPIRED)


def note_move(case_id: UUID, to: str, now: datetime) -> None:
    """Say of the span at work where a case went; once its end is committed, write its own."""
    spans.here().moved(to)
    if spans.on() and to in LAST:
        # The case has ended, whether or not that can be told.
        transaction.on_commit(lambda: _write(case_id, now), robust=True)


def _write(case_id: UUID, now: datetime) -> None:
    case = ErasureRequest.objects.only("reference", "outcome", "status", "received_at").get(
        pk=case_id
    )
    spans.over(
        case_id,
        case.received_at,
        now,
        case=case.reference,
        outcome=case.outcome,
        state=case.status,
    )
