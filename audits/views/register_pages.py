"""The registers: one page that links them all, a list and files of each that has no people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from audits.queries.fleet import PeriodRefused, period
from audits.queries.page_words import retold
from audits.queries.register_tables import REGISTERS, Register, as_csv, as_json
from audits.views.access import page, staff_page

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

PER_PAGE = 100
FORMS = ("json", "csv", "md")  # of the record of processing
# Sentences of the platform; other cells are data and codes, which stay as they are in the files.
SPOKEN = ("title", "not_run_because")
TYPES = {"csv": "text/csv", "json": "application/json"}


@require_safe
@staff_page
def register_list(request: HttpRequest) -> HttpResponse:
    """Link every register."""
    return page(request, "audits/registers.html", {"registers": REGISTERS.items(), "forms": FORMS})


@require_safe
@staff_page
def register(request: HttpRequest, name: str) -> HttpResponse:
    """List one register, of a period where it has one, some rows at a time."""
    found = _found(name)
    refused = ""
    days: tuple[date | None, date | None] = (None, None)
    try:
        days = _period(request)
    except PeriodRefused as error:
        refused = retold(error)
    rows = [] if refused else found.rows(*days)
    shown = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    kept = request.GET.copy()
    kept.pop("page", None)
    context = {
        "name": name,
        "register": found,
        "columns": [heading(column) for column in found.shown],
        "rows": [_cells(found, row) for row in shown],
        "shown": shown,
        "refused": refused,
        "since": request.GET.get("since", ""),
        "until": request.GET.get("until", ""),
        "file_query": kept.urlencode(),
        "query": f"{kept.urlencode()}&" if kept else "",
    }
    return page(request, "audits/register.html", context, status=400 if refused else 200)


@require_safe
@staff_page
def register_file(request: HttpRequest, name: str, form: str) -> HttpResponseBase:
    """Return the rows of a register as CSV or JSON, as they are read."""
    found = _found(name)
    if form not in TYPES:
        raise Http404
    try:
        rows = found.rows(*_period(request))
    except PeriodRefused as error:
        return HttpResponse(
            f"{retold(error)}\n", status=400, content_type="text/plain; charset=utf-8"
        )
    parts = as_json(rows) if form == "json" else as_csv(found.columns, rows)
    response = StreamingHttpResponse(parts, content_type=f"{TYPES[form]}; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.{form}"'
    return response


def _found(name: str) -> Register:
    if name not in REGISTERS:
        raise Http404
    return REGISTERS[name]


def _period(request: HttpRequest) -> tuple[date | None, date | None]:
    return period(request.GET.get("since", ""), request.GET.get("until", ""))


def _cells(found: Register, row: Mapping[str, str]) -> list[tuple[str, str]]:
    return [(heading(name), _shown(name, row[name])) for name in found.shown]


def _shown(name: str, text: str) -> str:
    return gettext(text) if text and name in SPOKEN else text


def heading(column: str) -> str:
    """Return what a column is called, in English."""
    return column.replace("_", " ").capitalize()
