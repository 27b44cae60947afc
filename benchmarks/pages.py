"""What every page of staff costs in a full installation: queries, time and size.

    python benchmarks/pages.py --json [--quick] [--engine sqlite|postgresql] [--home DIR]
        [--out FILE]

10,000 cases, 1,000 versions and a million records (``--quick``: a tenth) on a private PostgreSQL
and on SQLite. Each page of the map of addresses is asked for by one warm process, over and over,
which is not the one that filled the database. A download is judged by its first byte.

Filling takes minutes. With ``--home`` it is done once: what was filled stays in the folder and is
visited again. Its cases grow older, so publish figures of a fresh installation only.
"""

from __future__ import annotations

import sys
import time
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if __package__ in {None, ""}:  # run as a file
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from benchmarks.command import run
from benchmarks.databases import child, chosen
from benchmarks.installation import ENGINES, database_bytes, prepared

if TYPE_CHECKING:
    import argparse

VISITS, QUICK_VISITS = 30, 5


def measure(*, quick: bool = False, engine: str = "", home: Path | None = None) -> dict[str, Any]:
    """Return what was missed on any engine, then everything by engine."""
    part = 10 if quick else 1
    sizes = {"cases": 10_000 // part, "versions": 1_000 // part, "records": 1_000_000 // part}
    visits = QUICK_VISITS if quick else VISITS
    engines = [engine] if engine else (["postgresql"] if quick else ENGINES)
    found = {}
    for one in engines:
        with chosen(one, home) as environment:
            filled = child("benchmarks.pages:filled_here", sizes, environment)
            visited = child("benchmarks.pages:visited_here", {"visits": visits}, environment)
            found[one] = {**visited, **filled}
    missed = {one: each["missed"] for one, each in found.items()}
    return {"sizes": {**sizes, "visits": visits}, "missed": missed, "engines": found}


def filled_here(cases: int, versions: int, records: int) -> dict[str, Any]:
    """Fill the database that is configured in this process."""
    prepared()
    from django.utils import timezone  # noqa: PLC0415  (Django is set up now)

    from audits.models import LogHead  # noqa: PLC0415
    from benchmarks.crowd import Sizes, filled  # noqa: PLC0415

    started = time.perf_counter()
    filled(Sizes(cases=cases, versions=versions, records=records), now=timezone.now())
    return {
        "fill_seconds": round(time.perf_counter() - started, 1),
        "database_mb": round(database_bytes() / 1e6),
        "leaves": LogHead.objects.get(pk=1).size,
    }


def visited_here(visits: int) -> dict[str, Any]:
    """Visit the pages of the installation that is configured in this process.

    It begins as a web process does.
    """
    prepared()
    import_module("config.wsgi")
    from benchmarks.crowd import head_of  # noqa: PLC0415
    from benchmarks.pages_visits import visit_all  # noqa: PLC0415

    found = visit_all(head_of(), visits=visits)
    return {
        "missed": [words for one in found.visited for words in one.missed],
        "not_visited": found.left,
        "leads_on": found.leads_on,
        "not_shown": found.not_shown,
        "pages": [one.as_dict() for one in found.visited],
    }


def _engine(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--engine", choices=ENGINES, default="", help="one engine alone")
    parser.add_argument("--home", type=Path, help="keep what is filled here, and visit it again")


if __name__ == "__main__":
    run(measure, __doc__, _engine)
