"""Which cases jobs are done for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audits.models import ErasureRequest

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from lineage.models import Job


def cases_of_jobs(jobs: Iterable[Job]) -> dict[UUID, ErasureRequest]:
    """Return a case for each payload that is one, or is a run of one, in two queries.

    Of the cases that share a run it is the first received.
    """
    payloads = [job.payload_id for job in jobs]
    served = ErasureRequest.runs.through.objects.filter(unlearningrun__in=payloads)
    served = served.select_related("erasurerequest").order_by("-erasurerequest__received_at")
    by_run = {row.unlearningrun_id: row.erasurerequest for row in served}
    return by_run | ErasureRequest.objects.in_bulk(payloads)
