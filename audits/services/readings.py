"""Log how often restricted records were read, from the openings that lineage recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audits.services import log
from lineage.models import ErasureViewOpening

if TYPE_CHECKING:
    from datetime import datetime

    from audits.models import ErasureRequest


def log_readings(*, request: ErasureRequest, now: datetime) -> None:
    """Write one event for each opening for a case or one of its runs; again, only new ones.

    Must be called in the transaction of what the reading led to: findings or a verdict.
    """
    ids = [request.pk, *request.runs.values_list("pk", flat=True)]
    openings = ErasureViewOpening.objects.filter(run_id__in=ids, record_count__gt=0)
    for opening in openings.order_by("opened_at", "pk"):
        log.append(
            type="erasure_view_opened",
            case=request.pk,
            now=now,
            data={
                "run": str(opening.run_id),
                "purpose": opening.purpose,
                "records": opening.record_count,
            },
            once=f"view:{request.pk}:{opening.pk}",
        )
