"""The list of cases and the page of one case."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.paginator import Paginator
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.utils import timezone
from django.views.decorators.http import require_safe

from audits.models import ComplianceRecord, ErasureRequest
from audits.queries import case_page, case_work, cases, clocks, reports, schedule
from audits.queries.conflicts import case_ahead
from audits.queries.editions import editions_of
from audits.queries.exceptions import waiting_to_be_erased
from audits.queries.holds import holds_to_review
from audits.queries.journey import LABELS_FOR_STAFF, journey
from audits.queries.letter_routes import needing_somebody
from audits.queries.operator_cases import operator_origin_of
from audits.queries.places import told
from audits.queries.releases import held_releases, held_stand_ins
from audits.queries.serving import exposed
from audits.queries.waiting import waits_for_others
from audits.views.access import page, staff_of, staff_page
from audits.views.clocks import clock_context
from audits.views.deciding import panel
from audits.views.downloads import MANIFEST, PDF
from audits.views.kinds import asked_for
from audits.views.letters import letters_of
from audits.views.previews import asked, looked_at, may_open
from audits.views.progress import fragment, progress_of
from audits.views.retention import kept_until
from audits.views.rights import rights_of
from audits.views.told import told_context
from audits.views.weighing import predicted_and_actual, weighed_ways
from audits.views.wording import (
    due_badge,
    guarantee_words,
    method_title,
    refusal_words,
    status_badge,
    verdict_badge,
)

if TYPE_CHECKING:
    from datetime import date
    from uuid import UUID

    from django.http import HttpRequest, HttpResponse

S = ErasureRequest.Status
PER_PAGE = 50
DUPLICATES = 100


@require_safe
@staff_page
def request_list(request: HttpRequest) -> HttpResponse:
    """List the open cases, the most urgent first, the overdue, or the closed, the newest first."""
    show = request.GET.get("show")
    closed, late = show == "closed", show == "overdue"
    today = today_of_clock()
    overdue = clocks.overdue(today)
    found = cases.closed_cases() if closed else overdue if late else cases.open_cases()
    query = request.GET.get("q", "").strip().upper()
    if query:
        found = cases.cases_called(query)
    shown = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    proposed = cases.with_proposal(case.pk for case in shown)
    rows = [
        {
            "case": case,
            "status": status_badge(case),
            "due": due_badge(case, today),
            "proposed": case.pk in proposed,
        }
        for case in shown
    ]
    context = {
        "rows": rows,
        "shown": shown,
        "closed": closed,
        "only_overdue": late,
        "query": query,
        **rights_of(request),
        "open_count": cases.open_cases().count(),
        "closed_count": cases.closed_cases().count(),
        "overdue_count": overdue.count(),
        "held_count": held_releases().count(),
        "ended_exceptions": waiting_to_be_erased(),
        "holds_to_review": holds_to_review(today).count(),
        "alerts": schedule.alerts(timezone.now()),
        "exposures": exposed(),
        "letters_waiting": needing_somebody()[:PER_PAGE],
    }
    return page(request, "audits/cases.html", context)


@require_safe
@staff_page
def case(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Show everything about one case, and what can be decided now."""
    found = get_object_or_404(
        ErasureRequest.objects.select_related("joined_to", "linked_to", "accepted_by", "subject"),
        pk=case_id,
    )
    files = reports.report_files(found)
    context = {
        **_live(found),
        "status": status_badge(found),
        "due": due_badge(found, today_of_clock()),
        "may_open": may_open(request),
        **rights_of(request),
        "refusal": refusal_words(found.refusal_code),
        **clock_context(request, found),
        **told_context(request, found),
        **_duplicates(request, found),
        **panel(request, found),
        "operator": operator_origin_of(found.pk),
        "waiting_runs": case_work.waiting_runs(found),
        "held_releases": held_releases(found),
        "held_stand_ins": held_stand_ins(found),
        **_waits(found),
        "asked_for": asked_for(found, staff_of(request)),
        "stopped_runs": case_work.stopped_runs(found),
        "affected": _ways(found.plan),
        "not_affected": case_page.planned_versions(found, "not_affected"),
        "unknown": case_page.planned_versions(found, "unknown"),
        "weighed": [
            (run, weighed_ways(run), predicted_and_actual(run))
            for run in found.runs.exclude(weighed={}).select_related("target")
        ],
        **kept_until(found, staff_of(request)),
        "places": told(found),
        "log": case_page.log_of(found),
        **letters_of(request, found),
        "record": ComplianceRecord.objects.filter(request=found).first(),
        "has_pdf": PDF in files,
        "has_manifest": MANIFEST in files,
        "editions": [(edition.slug, language) for edition, language in sorted(editions_of(found))],
        # A closed case must not go on showing whose it was.
        "email": found.email if found.status != S.SEALED else "",
    }
    return page(request, "audits/case.html", context)


@require_safe
@staff_page
def case_progress(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Return what changes while work goes on, for the page that renews itself."""
    found = get_object_or_404(ErasureRequest, pk=case_id)
    return fragment(request, render_to_string("audits/_case_live.html", _live(found)))


def _duplicates(request: HttpRequest, found: ErasureRequest) -> dict[str, Any]:
    """Return the duplicates that staff must decide about, the first of them as rows.

    In an operator's case their contents can be looked at.
    """
    if found.status != S.RESTRICTED:
        return {"duplicates": [], "undecided": 0}
    rows = case_page.duplicate_rows(found, most=DUPLICATES)
    looking = bool(rows) and asked(request) and operator_origin_of(found.pk) is not None
    looked = (
        looked_at(request, found.pk, case_page.records_of(row.finding for row in rows))
        if looking
        else {}
    )
    return {
        "duplicates": [
            {
                "row": row,
                "other": looked.get((row.finding.space_id, row.finding.other_ordinal)),
                "like": looked.get((row.finding.space_id, row.finding.forget_ordinal)),
            }
            for row in rows
        ],
        "looking": looking,
        "undecided": case_work.pending_duplicates(found).count(),
    }


def _waits(found: ErasureRequest) -> dict[str, Any]:
    """Return until when a case waits for others at most, and behind which; nothing if it does not.

    Where another is at work at one of its versions, it starts when that one is through.
    """
    if found.status != S.RESTRICTED or not waits_for_others(found):
        return {}
    return {"waits_until": schedule.latest_start(found), "waits_behind": case_ahead(found)}


def today_of_clock() -> date:
    """Return today where the legal clock runs."""
    return clocks.today(timezone.now())


def _ways(plan: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the affected versions of a plan, each with the way on which records came to it."""
    return [
        {
            **row,
            "steps": [
                (step["source"], step["role"].replace("_", " ").lower())
                for step in row.get("path", [])
            ],
        }
        for row in plan.get("affected", [])
    ]


def _live(found: ErasureRequest) -> dict[str, Any]:
    return {
        "case": found,
        "stages": journey(found, LABELS_FOR_STAFF),
        "progress": progress_of(found, timezone.now()),
        "runs": [
            {
                "run": row.run,
                "method": method_title(row.run.method),
                "guarantee": guarantee_words(row.run.guarantee),
                "verdict": verdict_badge(row.outcome),
                "evidence": row.evidence,
            }
            for row in case_page.run_rows(found)
        ],
    }
