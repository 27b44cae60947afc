"""All evidence: what the audits of a period came to, and what they say together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from audits.core.fleet_words import DOES_NOT_MEAN
from audits.queries.fleet import PeriodRefused, period
from audits.queries.fleet_kept import kept_fleet
from audits.queries.page_words import retold
from audits.queries.questions import OPEN, WITHOUT
from audits.views.access import page, staff_page
from audits.views.saying import told
from audits.views.wording import BUSY, QUIET, Badge, method_title, verdict_badge

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from audits.queries.fleet import Fleet
    from audits.queries.questions import Question

PER_PAGE = 50
NO_OUTCOME = {
    OPEN: Badge(label="Not judged yet", tone=BUSY),
    WITHOUT: Badge(label="Ended without a verdict", tone=QUIET),
}


@require_safe
@staff_page
def all_evidence(request: HttpRequest) -> HttpResponse:
    """Show the statement over a period, and every pass in it."""
    typed = {name: request.GET.get(name, "") for name in ("since", "until")}
    try:
        since, until = period(typed["since"], typed["until"])
    except PeriodRefused as error:
        shown_instead = _("All days are shown.")
        messages.error(request, f"{retold(error)} {shown_instead}")
        since, until = None, None
    found = kept_fleet(since=since, until=until)
    kept = set(found.surviving)
    shown = Paginator(found.passed, PER_PAGE).get_page(request.GET.get("page"))
    pools = Paginator(found.pools, PER_PAGE).get_page(request.GET.get("pools"))
    days = {
        "since": since.isoformat() if since else "",
        "until": until.isoformat() if until else "",
    }
    context = {
        "fleet": found,
        "statement": found.statement(told),
        "does_not_mean": DOES_NOT_MEAN,
        "methods": _methods(found),
        "shown": shown,
        "pools": pools,
        "pool_words": [(one.run, one.told(told)) for one in pools],
        "rows": [_row(one, found, kept) for one in shown],
        "days": days,
        "query": "".join(f"{name}={day}&" for name, day in days.items() if day),
    }
    return page(request, "audits/all_evidence.html", context)


def _methods(found: Fleet) -> list[dict[str, Any]]:
    return [
        {
            "method": _(method_title(method)),
            "outcomes": [(_badge(outcome), count) for outcome, count in outcomes.items()],
        }
        for method, outcomes in found.by_method()
    ]


def _badge(outcome: str) -> Badge:
    return NO_OUTCOME.get(outcome) or verdict_badge(outcome)


def _row(one: Question, found: Fleet, kept: set[Question]) -> dict[str, Any]:
    strength = one.strength
    return {
        "question": one,
        "badge": _badge(one.outcome),
        "method": _(method_title(one.run.method)),
        "survives": one in kept,
        "e": strength.among(len(found.asked), found.level) if strength else None,
    }
