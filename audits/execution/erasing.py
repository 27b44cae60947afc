"""The point of no return: check lineage once more, then delete."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils import timezone

from audits.execution.planning import digest_of, plan_of
from audits.models import ErasureRequest
from audits.services import closing, planning
from lineage.services import jobs

if TYPE_CHECKING:
    from lineage.models import Job

STEPS = 5


def erase_case(job: Job) -> None:
    """Erase the data of a case, unless lineage changed since the plan: then redraw the plan."""
    request = ErasureRequest.objects.select_related("subject").get(pk=job.payload_id)
    if request.status in (ErasureRequest.Status.ERASED, ErasureRequest.Status.SEALED):
        return
    if not request.erased_at and _changed(request):
        return
    now = timezone.now()
    jobs.report_progress(job=job, phase="Releasing the unlearned versions", done=0, total=STEPS)
    closing.release_results(request=request)
    jobs.report_progress(job=job, phase="Destroying what was superseded", done=1, total=STEPS)
    closing.destroy_superseded(request=request, now=now)
    jobs.report_progress(job=job, phase="Purging shadow models", done=2, total=STEPS)
    closing.purge_shadows(request=request, now=now)
    jobs.report_progress(job=job, phase="Deleting rows and files", done=3, total=STEPS)
    closing.erase_data(request=request, now=now)
    jobs.report_progress(job=job, phase="Read back", done=4, total=STEPS)
    closing.mark_erased(case_id=request.pk, now=now)


def _changed(request: ErasureRequest) -> bool:
    """Return whether lineage affects a version that the plan does not know; redraw it then."""
    plan, runs = plan_of(request.pk)
    known = {row["version"] for row in request.plan.get("affected", [])}
    produced = {
        str(pk) for pk in request.runs.exclude(unlearned=None).values_list("unlearned", flat=True)
    }
    fresh = [row for row in plan["affected"] if row["version"] not in known | produced]
    if not fresh:
        return False
    whole = {**request.plan, "affected": [*request.plan["affected"], *fresh]}
    planning.redraw_plan(
        case_id=request.pk,
        plan=whole,
        runs=[one for one in runs if str(one.version.pk) not in known | produced],
        now=timezone.now(),
    )
    return digest_of(whole) != request.plan_digest
