"""Steps and messages as spans of their cases."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

from django.utils import timezone

from audits.queries.cases import cases_of_job
from lineage.core import spans
from lineage.core.log_context import bound

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from datetime import datetime

    from audits.models import ErasureRequest
    from lineage.models import Job


def ringing(job: Job) -> AbstractContextManager[object]:
    """Have the message of a job that is rung again be a span of the first case that waits for it.

    So what the job does lies in that trace, and not in the sweep's; one of no case does lie there.
    """
    case = cases_of_job(job).only("reference").first() if spans.on() else None
    if case is None:
        return nullcontext()
    about = {"case": case.reference, "job": str(job.pk), "kind": job.kind, "queue": job.queue}
    return spans.of_case(case.pk, "ring", "PRODUCER", **about)


def take(step: Callable[[ErasureRequest, datetime], bool], request: ErasureRequest) -> bool:
    """Take a step, and say in logs and traces of which case; return what it returns.

    A step of which nothing came is no span: a sweep takes it every few seconds.
    """
    name = step.__name__.strip("_")
    about = {"case": request.reference, "step": name, "state": request.status}
    with (
        bound(case=request.reference),
        spans.of_case(request.pk, f"step {name}", **about) as opened,
    ):
        taken = step(request, timezone.now())
        if not taken:
            opened.drop_idle()
        return taken
