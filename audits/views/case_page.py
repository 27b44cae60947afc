"""The page of one case: what it needs now, how it stands, and how it came there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import Http404
from django.template.loader import render_to_string
from django.utils import timezone
from django.views.decorators.http import require_safe

from audits.models import ErasureRequest
from audits.queries import case_page, case_work, decisions, schedule
from audits.queries.beside import beside
from audits.queries.conflicts import case_ahead
from audits.queries.ends import ends_of
from audits.queries.evidence import judged_runs
from audits.queries.operator_cases import origin_of
from audits.queries.owner_budgets import waits_of
from audits.queries.places import told
from audits.queries.policy_values import held
from audits.queries.reports import stored_files
from audits.queries.seal_state import seal_state
from audits.queries.span_facts import trace_page
from audits.queries.waiting import waits_for_others
from audits.queries.whole_case import moving_case, whole_case
from audits.views.access import page, staff_of, staff_page
from audits.views.case_runs import held_of, live
from audits.views.cases import today_of_clock
from audits.views.clocks import clock_context
from audits.views.deciding import panel
from audits.views.downloads import MANIFEST, PDF
from audits.views.kinds import asked_for
from audits.views.letters import letters_of
from audits.views.previews import asked, looked_at, may_open
from audits.views.progress import fragment
from audits.views.retention import kept_until
from audits.views.rights import rights_of
from audits.views.told import ahead_context, told_context
from audits.views.weighing import predicted_and_actual, weighed_ways
from audits.views.wording import (
    CAME_BY,
    due_badge,
    method_title,
    refusal_words,
    status_badge,
    verdict_badge,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from uuid import UUID

    from django.http import HttpRequest, HttpResponse

    from audits.queries.case_page import LoggedLine
    from audits.queries.ends import VersionEnd
    from audits.queries.evidence import Judged
    from audits.views.wording import Badge

S = ErasureRequest.Status
DUPLICATES = 100
EVENTS = 60  # of the log, the newest; the page of the log has the rest
# What is looked at now and then, and takes longer to find: shown when it is asked for.
PARTS: Mapping[str, Callable[[ErasureRequest], dict[str, Any]]] = {
    "ahead": ahead_context,
    "versions": lambda case: {
        "not_affected": case_page.planned_versions(case, "not_affected"),
        "unknown": case_page.planned_versions(case, "unknown"),
    },
    "earlier": lambda case: {"earlier": decisions.earlier_requests(case)},
}


@require_safe
@staff_page
def case(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Show everything about one case, and what can be done now."""
    with held():
        found = _or_404(whole_case(case_id))
        return page(request, "audits/case.html", _context(request, found))


@require_safe
@staff_page
def case_progress(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Return what changes while work goes on, for the page that renews itself."""
    with held():
        found = _or_404(moving_case(case_id))
        judged = judged_runs(found.runs.all(), found)
        shown = live(found, case_page.log_of(found), judged, timezone.now())
        context = {**shown, **rights_of(request)}
        content = render_to_string("audits/_case_live.html", context, request)
    return fragment(request, content)


@require_safe
@staff_page
def case_part(request: HttpRequest, case_id: UUID, name: str) -> HttpResponse:
    """Return a part of the page that is shown when it is asked for."""
    if name not in PARTS:
        raise Http404(f"There is no part {name!r}; allowed are {', '.join(PARTS)}.")
    with held():
        found = _or_404(whole_case(case_id))
        return page(request, f"audits/_part_{name}.html", {"case": found, **PARTS[name](found)})


def _or_404(found: ErasureRequest | None) -> ErasureRequest:
    if found is None:
        raise Http404("There is no such case.")
    return found


def _context(request: HttpRequest, found: ErasureRequest) -> dict[str, Any]:
    now, user = timezone.now(), staff_of(request)
    logged, operator = case_page.log_of(found), origin_of(found)
    judged = judged_runs(found.runs.all(), found)
    printed = request.GET.get("print") == "1"  # paper has nothing to open
    opened = PARTS.keys() & {request.GET.get("open", "")}
    return {
        **live(found, logged, judged, now),
        "status": status_badge(found),
        "due": due_badge(found, today_of_clock(), waits=found.waited_for),
        "may_open": may_open(request),
        **rights_of(request),
        "trace": trace_page(found),
        "refusal": refusal_words(found.refusal_code),
        **clock_context(request, found),
        **told_context(request, found),
        "ends": _ends(found, judged),
        "came_by": CAME_BY.get(found.channel, found.channel.lower()),
        **_duplicates(request, found),
        **panel(request, found),
        "operator": operator,
        **held_of(found),
        "waiting_runs": case_work.runs_that_wait(found),
        "stopped_runs": case_work.stopped_runs(found) if found.status == S.FAILED else [],
        **_waits(found),
        **_budgets(found),
        "asked_for": asked_for(found, user),
        **_plan(found),
        **kept_until(found, user),
        "places": told(found),
        "log": logged if printed else logged[-EVENTS:],
        "logged": len(logged),
        **letters_of(request, found),
        **_sealed(found, logged),
        # A closed case must not go on showing whose it was.
        "email": found.email if found.status != S.SEALED else "",
        "opened": opened,
        "printed": printed,
        **{key: one for name in opened for key, one in PARTS[name](found).items()},
    }


def _ends(
    found: ErasureRequest, judged: Mapping[UUID, Judged]
) -> list[tuple[VersionEnd, str, Badge | None]]:
    """Return the end of each affected version, with the method and the verdict in words."""
    return [
        (
            one,
            method_title(one.method) if one.method else "",
            verdict_badge(one.verdict) if one.verdict else None,
        )
        for one in ends_of(found, judged)
    ]


def _sealed(found: ErasureRequest, logged: list[LoggedLine]) -> dict[str, Any]:
    """Return what was sealed, which files there are, and whether all of it was checked."""
    record = beside(found, "record")
    if record is None:
        return {"record": None}
    formats, editions = stored_files((line.type, line.data) for line in logged)
    return {
        "record": record,
        "has_pdf": PDF in formats,
        "has_manifest": MANIFEST in formats,
        "editions": [(edition.slug, language) for edition, language in editions],
        "seal": seal_state(record),
        "pictures": beside(found, "pictures"),
    }


def _duplicates(request: HttpRequest, found: ErasureRequest) -> dict[str, Any]:
    """Return the duplicates that staff must decide about, the first of them as rows.

    In an operator's case their contents can be looked at.
    """
    if found.status != S.RESTRICTED:
        return {"duplicates": [], "undecided": 0}
    rows = case_page.duplicate_rows(found, most=DUPLICATES)
    looking = bool(rows) and asked(request) and origin_of(found) is not None
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
        "undecided": (
            len(rows) if len(rows) < DUPLICATES else case_work.pending_duplicates(found).count()
        ),
    }


def _waits(found: ErasureRequest) -> dict[str, Any]:
    """Return until when a case waits for others at most, and behind which; nothing if it does not.

    Where another is at work at one of its versions, it starts when that one is through.
    """
    if found.status != S.RESTRICTED or not waits_for_others(found):
        return {}
    return {"waits_until": schedule.latest_start(found), "waits_behind": case_ahead(found)}


def _budgets(found: ErasureRequest) -> dict[str, Any]:
    """Return the budgets that keep the case waiting, or did."""
    waits = waits_of(found) if found.met_a_budget else []
    return {
        "budget_waits": waits,
        "budget_waiting": any(one.state == one.State.WAITING for one in waits),
    }


def _plan(found: ErasureRequest) -> dict[str, Any]:
    """Return the affected versions, each with the way on which records came to it."""
    return {
        "affected": [
            {
                **row,
                "steps": [
                    (step["source"], step["role"].replace("_", " ").lower())
                    for step in row.get("path", [])
                ],
            }
            for row in found.plan.get("affected", [])
        ],
        "not_affected_count": len(found.plan.get("not_affected", [])),
        "unknown_count": len(found.plan.get("unknown", [])),
        "weighed": [
            (run, weighed_ways(run), predicted_and_actual(run))
            for run in found.runs.all()
            if run.weighed
        ],
    }
