"""Write what ``benchmarks/load.py`` found into a page: ``python -m benchmarks.load_page``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = Path("docs/reliability.md")
KEPT = Path("benchmarks/results/load-postgresql-2-cores.json")
HOME = "audits:staff_home"
BEGIN, END = "<!-- load:begin -->\n", "<!-- load:end -->\n"


def block(page: str) -> str:
    """Return what stands between the marks of a page."""
    return page.partition(BEGIN)[2].partition(END)[0]


def as_markdown(found: dict[str, Any]) -> str:
    """Return the table of one result of ``benchmarks.load.measure``."""
    machine = found["machine"]
    where = f"{machine['cores']} cores, Python {machine['python']}, {found['engine']}"
    rows = "".join(f"| {what} | {figure} |\n" for what, figure in _rows(found))
    missed = "; ".join(found["missed"]) or "nothing"
    return f"On {where}. Goals missed: {missed}.\n\n| | |\n|---|---|\n{rows}"


def _rows(found: dict[str, Any]) -> Iterator[tuple[str, str]]:
    forms, sweep, month, memory = (found[one] for one in ("forms", "sweep", "month", "memory"))
    everybody = forms["levels"][-1]["at_once"]
    slowest = {
        home: max(one["p95_ms"] for one in sweep["lists"] if (one["page"] == HOME) == home)
        for home in (False, True)
    }
    yield "forms posted, accepted", f"{found['posted']:,}, {found['accepted']:,}"
    counts = [str(found[one]) for one in ("lost", "duplicated", "cross_assigned")]
    yield "lost, duplicated, assigned to somebody else", ", ".join(counts)
    yield (
        "saturated by",
        f"{forms['saturated_by']} posters at once, {forms['cases_per_second']} cases a second",
    )
    yield "p99 of the answer there", f"{found['p99_ms']:,.0f} ms"
    yield f"p99 when {everybody:,} post at once", f"{forms['p99_ms_all_at_once'] / 1000:.1f} s"
    yield "open cases, of which the sweep looks at", f"{sweep['open']:,}, {sweep['at_work']:,}"
    yield "slowest pass of the sweep", f"{max(one['seconds'] for one in sweep['passes'])} s"
    yield "until each case had its turn", f"{sweep['hours_until_each_had_its_turn']} h"
    yield (
        "slowest list of cases, first page of staff, p95",
        (f"{slowest[False]:.0f} ms, {slowest[True]:.0f} ms"),
    )
    yield (
        "a month of requests, missed deadlines at the capacity of the bound",
        f"{month['requests']:,}, {month['at_capacity']['missed']}",
    )
    yield "the same at half of it", f"{month['at_half']['missed']:,}"
    for name in ("light", "heavy"):
        one = memory[name]
        yield (
            f"memory of the {name} worker after {one['jobs']} jobs",
            f"{one['last_mb']} MB, grown by {one['grown_mb']} MB",
        )


def main() -> None:
    """Put the kept result between the marks of the page."""
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    after = rest.partition(END)[2]
    told = as_markdown(json.loads(KEPT.read_text(encoding="utf-8")))
    PAGE.write_text(before + BEGIN + told + END + after, encoding="utf-8")


if __name__ == "__main__":
    main()
