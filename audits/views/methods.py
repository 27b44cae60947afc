"""The methods beside one another: on the operator's own models, and as they were benchmarked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from audits.core.pareto import Picture, Point, picture
from audits.queries.method_table import MOST_AUDITS, MethodRow, method_rows, model_names
from audits.queries.stored_benchmarks import NOISE, UNTOUCHED, stored_benchmarks
from audits.views.access import page, staff_page
from audits.views.wording import method_title, verdict_badge

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from django.http import HttpRequest, HttpResponse

    from audits.queries.stored_benchmarks import Benchmark, BenchmarkRow

BESIDE = {NOISE: "Retraining with another seed", UNTOUCHED: "Nothing done"}


@require_safe
@staff_page
def methods(request: HttpRequest) -> HttpResponse:
    """Show every method that was used here, and the benchmarks that came with the platform."""
    names = model_names()
    asked = request.GET.get("model", "")
    model = asked if asked in names else ""
    rows = method_rows(model)
    plotted = [row for row in rows if row.cost and row.harm is not None]
    context = {
        "names": names,
        "model": model,
        "rows": [_row(row, plotted) for row in rows],
        "picture": _picture(plotted),
        "most_audits": MOST_AUDITS,
        "benchmarks": [_benchmark(one) for one in stored_benchmarks()],
    }
    return page(request, "audits/methods.html", context)


def _row(row: MethodRow, plotted: Sequence[MethodRow]) -> dict[str, Any]:
    return {
        "row": row,
        "title": _(method_title(row.method)),
        "number": plotted.index(row) + 1 if row in plotted else None,
        "percent": 100 * row.cost if row.cost else None,
        "outcomes": [(verdict_badge(name), count) for name, count in row.outcomes.items()],
    }


def _picture(rows: Iterable[MethodRow]) -> Picture | None:
    return picture(
        [
            Point(
                label=_(method_title(row.method)),
                cost=row.cost or 0,
                harm=row.harm or 0,
                hollow=row.leak is None,
            )
            for row in rows
        ]
    )


def _benchmark(found: Benchmark) -> dict[str, Any]:
    plotted = [row for row in found.rows if row.rte and row.ret_dev is not None]
    return {
        "benchmark": found,
        "rows": [
            {
                "row": row,
                "title": _title(row),
                "number": plotted.index(row) + 1 if row in plotted else None,
            }
            for row in found.rows
        ],
        "picture": picture(
            [
                Point(label=_title(row), cost=1 / (row.rte or 1), harm=row.ret_dev or 0)
                for row in plotted
            ]
        ),
    }


def _title(row: BenchmarkRow) -> str:
    found = BESIDE.get(row.method)
    return _(found or method_title(row.method))
