"""Queues and workers: what waits, what runs, what the workers can do; pause and resume."""

from __future__ import annotations

from datetime import timedelta
from math import floor, log10
from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib import messages
from django.contrib.humanize.templatetags.humanize import intcomma
from django.core.paginator import Paginator
from django.http import Http404
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from audits import workflow
from audits.core.roles import Right
from audits.queries import schedule
from audits.queries.capacity import DAY
from audits.queries.case_jobs import courses_of
from audits.queries.job_cases import cases_of_jobs
from audits.queries.policy_values import in_force
from audits.queries.worker_signs import watched_queues
from audits.views.access import page, staff_of, staff_page
from audits.views.charts import span
from audits.views.needs import JOB_DAYS
from audits.views.rights import may, needing
from audits.views.wording import job_title
from lineage.core.queues import QUEUES, QueueUnknown
from lineage.models import Job
from lineage.queries.queues import running_jobs, unfinished_jobs, waiting_jobs

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from typing import Any
    from uuid import UUID

    from django.http import HttpRequest, HttpResponse

    from audits.models import ErasureRequest
    from audits.queries.case_jobs import Course
    from lineage.models import Job

PER_PAGE = 50


@require_safe
@staff_page
def queue_page(request: HttpRequest) -> HttpResponse:
    """Show each queue, the running and the failed jobs, and the capacity of trainings."""
    now = timezone.now()
    failed = unfinished_jobs(now - timedelta(days=JOB_DAYS))
    shown = Paginator(failed, PER_PAGE).get_page(request.GET.get("page"))
    lists = [list(jobs) for jobs in (running_jobs()[:PER_PAGE], waiting_jobs()[:PER_PAGE], shown)]
    cases = cases_of_jobs(job for jobs in lists for job in jobs)
    running, waiting, over = (_rows(jobs, cases, now) for jobs in lists)
    outlook = schedule.outlook(now)
    context = {
        "queues": watched_queues(now),
        "known": QUEUES,
        "running": running,
        "waiting": waiting,
        "waiting_shown": PER_PAGE,
        "failed": over,
        "shown": shown,
        "failed_days": JOB_DAYS,
        "outlook": outlook,
        "pace": _pace(outlook.per_day),
        "bound": span(outlook.bound * DAY),
        "deadline": in_force("DEADLINE_DAYS"),
        "device": settings.EXPUNGE_DEVICE,
        "may_operate": may(request, Right.OPERATE),
    }
    return page(request, "audits/queues.html", context)


@require_POST
@needing(Right.OPERATE)
def pause(request: HttpRequest, queue: str) -> HttpResponse:
    """Hand out no job of a queue from now on."""
    try:
        changed = workflow.pause_queue(queue=queue, user=staff_of(request))
    except QueueUnknown as error:
        raise Http404(str(error)) from error
    if changed:
        messages.success(
            request,
            _("The queue %(queue)s is paused. What runs ends; nothing starts.") % {"queue": queue},
        )
    else:
        messages.info(request, _("The queue %(queue)s was paused before.") % {"queue": queue})
    return redirect("audits:queues")


@require_POST
@needing(Right.OPERATE)
def resume(request: HttpRequest, queue: str) -> HttpResponse:
    """Hand out jobs of a queue again."""
    try:
        changed = workflow.resume_queue(queue=queue, user=staff_of(request))
    except QueueUnknown as error:
        raise Http404(str(error)) from error
    if changed:
        messages.success(request, _("The queue %(queue)s goes on.") % {"queue": queue})
    else:
        messages.info(request, _("The queue %(queue)s was not paused.") % {"queue": queue})
    return redirect("audits:queues")


def _pace(per_day: float) -> str:
    """Return how many shards a worker rebuilds a day, to two figures."""
    if per_day <= 0:
        return _("nothing")
    if per_day < 1:
        return _("one shard in about %(span)s") % {"span": span(DAY / per_day)}
    digits = 1 - floor(log10(per_day))
    count = int(round(per_day, min(digits, 0)))
    said = ngettext("about %(count)s shard a day", "about %(count)s shards a day", count)
    return said % {"count": intcomma(count)}


def _rows(
    jobs: list[Job], cases: Mapping[UUID, ErasureRequest], now: datetime
) -> list[dict[str, Any]]:
    """Return jobs with what they do, for which case, and whether their lease lapsed."""
    courses = courses_of((job for job in jobs if job.status == job.Status.RUNNING), now)
    return [
        {
            "job": job,
            "case": cases.get(job.payload_id),
            "title": _(job_title(job.kind, None)),
            "remaining": _left(courses.get(job.pk)),
            "percent": round(100 * min(1.0, job.done / job.total)) if job.total else None,
            "lapsed": job.lease_until is not None and job.lease_until < now,
        }
        for job in jobs
    ]


def _left(course: Course | None) -> str:
    left = course.remaining if course else None
    return "" if left is None else span(left.total_seconds())
