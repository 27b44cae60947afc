"""The list of cases and the page of one case."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.core.paginator import Paginator
from django.utils import timezone
from django.views.decorators.http import require_safe

from audits.models import ErasureRequest
from audits.queries import cases, clocks, schedule
from audits.queries.exceptions import waiting_to_be_erased
from audits.queries.holds import holds_to_review
from audits.queries.letter_routes import needing_somebody
from audits.queries.releases import held_releases
from audits.queries.serving import exposed
from audits.views.access import page, staff_page
from audits.views.rights import rights_of
from audits.views.wording import (
    due_badge,
    status_badge,
)

if TYPE_CHECKING:
    from datetime import date

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
    waiting = clocks.waiting_for_an_answer(shown)
    rows = [
        {
            "case": case,
            "status": status_badge(case),
            "due": due_badge(case, today, waits=case.pk in waiting),
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


def today_of_clock() -> date:
    """Return today where the legal clock runs."""
    return clocks.today(timezone.now())
