"""The point of no return: check lineage once more, then delete."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils import timezone

from audits.execution.planning import plan_of
from audits.models import ErasureRequest
from audits.queries.ends import without_end
from audits.queries.operator_cases import operator_origin_of
from audits.services import closing, holds, places, planning, releases, removal
from lineage.services import jobs

if TYPE_CHECKING:
    from datetime import datetime

    from lineage.models import Job

STEPS = 4


class VersionWithoutEnd(Exception):
    """A version that learned from the records is neither gone, nor replaced, nor excepted."""


def erase_case(job: Job) -> None:
    """Erase the data of a case, unless lineage changed since the plan: then redraw the plan.

    Nothing is destroyed before the check, and a case whose plan was redrawn comes here again.
    """
    request = ErasureRequest.objects.select_related("subject").get(pk=job.payload_id)
    if request.status in (ErasureRequest.Status.ERASED, ErasureRequest.Status.SEALED):
        return
    now = timezone.now()
    # A case that a legal hold stops here comes again once the hold is released.
    if holds.hold_case(case_id=request.pk, now=now) or _redrawn(request, now):
        return
    _check_ends(request)
    jobs.report_progress(job=job, phase="Releasing the unlearned versions", done=0, total=STEPS)
    releases.release_results(request=request, now=now)
    jobs.report_progress(job=job, phase="Destroying what was superseded", done=1, total=STEPS)
    closing.destroy_superseded(request=request, now=now)
    jobs.report_progress(job=job, phase="Purging shadow models", done=2, total=STEPS)
    closing.purge_shadows(request=request, now=now)
    if holds.hold_case(case_id=request.pk, now=timezone.now()):
        return  # placed while the models were destroyed; the records are still there
    jobs.report_progress(job=job, phase="Rows and files of the records", done=3, total=STEPS)
    _settle(request, now)


def _check_ends(request: ErasureRequest) -> None:
    """Let no case end that leaves a version as it was by mistake."""
    if left := without_end(request):
        names = ", ".join(f"{one.version} ({one.end.words.lower()})" for one in left)
        raise VersionWithoutEnd(
            f"These versions learned from the records and have no end: {names}. Destroy or except "
            "each, then retry the case."
        )


def _settle(request: ErasureRequest, now: datetime) -> None:
    """Delete the data, here and at every place, and say so; the operator's own only if chosen."""
    case = operator_origin_of(request.pk)
    if case is None:
        # An exception may have ended since: what it kept goes along, so the plan must know of it.
        if planning.lacks_records(request=request) and _redrawn(request, timezone.now()):
            return
        closing.erase_data(request=request, now=now)
        places.erase_places(request=request, now=now)
        closing.mark_erased(case_id=request.pk, now=now)
    else:
        removal.settle_data(case=case, request=request, now=now)
        removal.mark_removed(case_id=request.pk, now=now)


def _redrawn(request: ErasureRequest, now: datetime) -> bool:
    """Redraw the plan if records of the person or affected versions came since; else False."""
    arrived = planning.restrict_arrived(case_id=request.pk, now=now)
    plan, runs = plan_of(request.pk)
    known = {row["version"] for row in request.plan.get("affected", [])}
    known |= {
        str(pk) for pk in request.runs.exclude(unlearned=None).values_list("unlearned", flat=True)
    }
    fresh = [row for row in plan["affected"] if row["version"] not in known]
    same = plan["spaces"] == request.plan.get("spaces")  # what was restricted meanwhile, by whom
    if not fresh and not arrived and same:
        return False
    came = {row["version"] for row in fresh}
    whole = {
        **request.plan,
        "spaces": plan["spaces"],
        "affected": [*request.plan["affected"], *fresh],
        "unknown": [pk for pk in plan["unknown"] if pk not in known],
        "not_affected": [pk for pk in request.plan["not_affected"] if pk not in came],
    }
    planning.redraw_plan(
        case_id=request.pk,
        plan=whole,
        runs=[one for one in runs if str(one.version.pk) in came],
        now=now,
    )
    return True
