"""One job: for what, how far, how much longer, why it failed; stop it or do it again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from audits import workflow
from audits.core.roles import Right
from audits.queries.job_page import job_page
from audits.queries.page_words import retold
from audits.services.job_switch import JobOfCase
from audits.views.access import page, staff_of, staff_page
from audits.views.charts import span
from audits.views.progress import fragment
from audits.views.rights import needing, rights_of
from audits.views.wording import BAD, BUSY, CARE, GOOD, QUIET, Badge, job_title
from lineage.models import Job

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import HttpRequest, HttpResponse

S = Job.Status
IS_BEING_STOPPED = "STOPPING"
LABELS = {
    S.QUEUED: "Waiting for a worker",
    S.RUNNING: "Running",
    S.SUCCEEDED: "Done",
    S.FAILED: "Failed",
    S.CANCELLED: "Stopped",
    IS_BEING_STOPPED: "Is being stopped",
}
TONES = {
    S.QUEUED: QUIET,
    S.RUNNING: BUSY,
    S.SUCCEEDED: GOOD,
    S.FAILED: BAD,
    S.CANCELLED: CARE,
    IS_BEING_STOPPED: CARE,
}
STOPPED = {
    "TRAIN": "The version is not made. What this try has trained so far is lost; the data sets "
    "and the versions that exist stay as they are.",
    "TUNE": "The trials that are finished are kept, and other jobs of the same search go on. "
    "Numbers are frozen once there are enough trials; until then runs use the numbers they used "
    "before.",
    "PREVIEW": "Whoever asked what would be done gets no answer, and can ask again.",
    "TILES": "Questions about these records are answered as before, but more slowly, until the "
    "tiles are built.",
    "": "What it would have made is not made; nothing else changes.",
}
REPEATED = {
    "TRAIN": "It is trained from its first step, unless an earlier try had finished the version. "
    "It takes a worker of the queue for as long as a training takes; cases wait behind it.",
    "TUNE": "The search goes on from the trials that are finished. It takes a worker of the queue "
    "meanwhile; cases wait behind it.",
    "PREVIEW": "The planner answers, if the question is still there: it is deleted half an hour "
    "after it was asked.",
    "TILES": "The tiles are built from the snapshots. Nothing else changes.",
    "": "It begins again, with a fresh set of attempts.",
}


@require_safe
@staff_page
def job(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """Show a job."""
    return page(request, "audits/job.html", {**_context(job_id), **rights_of(request)})


@require_safe
@staff_page
def progress(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """Return the part of that page that renews itself."""
    return fragment(request, render_to_string("audits/_job_live.html", _context(job_id)))


@require_http_methods(["GET", "HEAD", "POST"])
@needing(Right.OPERATE)
def cancel(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """Ask whether to stop a job, and do it."""
    if request.method != "POST":
        return _asked(request, job_id, "audits/job_stop.html", STOPPED)
    try:
        stopped = workflow.cancel_work(job_id=job_id, user=staff_of(request))
    except Job.DoesNotExist as error:
        raise Http404(str(error)) from error
    except JobOfCase as error:
        messages.error(request, retold(error))
    else:
        if stopped:
            messages.success(request, _("The job is stopped; one that runs ends within seconds."))
        else:
            messages.info(request, _("The job had ended before, or was being stopped."))
    return redirect("audits:job", job_id=job_id)


@require_http_methods(["GET", "HEAD", "POST"])
@needing(Right.OPERATE)
def retry(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """Ask whether to do a job again, and do it."""
    if request.method != "POST":
        return _asked(request, job_id, "audits/job_again.html", REPEATED)
    try:
        again = workflow.retry_work(job_id=job_id, user=staff_of(request))
    except Job.DoesNotExist as error:
        raise Http404(str(error)) from error
    except JobOfCase as error:
        messages.error(request, retold(error))
    else:
        if again:
            messages.success(request, _("The job waits for a worker again."))
        else:
            messages.info(request, _("The job neither failed nor was it stopped."))
    return redirect("audits:job", job_id=job_id)


def _asked(
    request: HttpRequest, job_id: UUID, template: str, known: dict[str, str]
) -> HttpResponse:
    context = _context(job_id)
    kind = context["told"].job.kind
    follows = {"follows": known.get(kind, known[""]), **rights_of(request)}
    return page(request, template, {**context, **follows})


def _context(job_id: UUID) -> dict[str, Any]:
    now = timezone.now()
    told = job_page(get_object_or_404(Job, pk=job_id), now)
    one = told.job
    stopping = one.cancel_requested and one.status == S.RUNNING
    state = IS_BEING_STOPPED if stopping else S(one.status)
    left = told.course.remaining
    return {
        "told": told,
        "title": _(job_title(one.kind, None)),
        "badge": Badge(label=_(LABELS[state]), tone=TONES[state]),
        "elapsed": span(told.elapsed.total_seconds()),
        "remaining": "" if left is None else span(left.total_seconds()),
        "percent": round(100 * min(1.0, one.done / one.total)) if one.total else None,
        "watched": one.status in (S.QUEUED, S.RUNNING),
        "state": f"{one.status}:{stopping}",
        "phase": one.phase or _(LABELS[state]),
    }
