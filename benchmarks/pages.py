"""What every page of staff costs in a full installation: queries, time and size.

    python benchmarks/pages.py --json [--quick] [--engine sqlite|postgresql] [--out FILE]

10,000 cases, 1,000 versions and a million records (``--quick``: a tenth) on a private PostgreSQL
and on SQLite. Each page of the map of addresses is asked for by one warm process, over and over.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if __package__ in {None, ""}:  # run as a file
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from benchmarks.command import run
from benchmarks.installation import ENGINES, database_bytes, in_one, prepared

if TYPE_CHECKING:
    import argparse

VISITS, QUICK_VISITS = 30, 5


def measure(*, quick: bool = False, engine: str = "") -> dict[str, Any]:
    """Return what was missed on any engine, then everything by engine."""
    part = 10 if quick else 1
    sizes = {"cases": 10_000 // part, "versions": 1_000 // part, "records": 1_000_000 // part}
    asked = {**sizes, "visits": QUICK_VISITS if quick else VISITS}
    engines = [engine] if engine else (["postgresql"] if quick else ENGINES)
    found = {one: in_one(one, "benchmarks.pages:here", asked) for one in engines}
    missed = {one: each["missed"] for one, each in found.items()}
    return {"sizes": asked, "missed": missed, "engines": found}


def here(cases: int, versions: int, records: int, visits: int) -> dict[str, Any]:
    """Fill the database that is configured in this process, and visit its pages."""
    prepared()
    from django.utils import timezone  # noqa: PLC0415  (Django is set up now)

    from benchmarks.crowd import Sizes, fill  # noqa: PLC0415
    from benchmarks.pages_visits import visit_all  # noqa: PLC0415

    started = time.perf_counter()
    crowd = fill(Sizes(cases=cases, versions=versions, records=records), now=timezone.now())
    filled = time.perf_counter() - started
    visited, left = visit_all(crowd.staff, visits=visits)
    return {
        "missed": [words for one in visited for words in one.missed],
        "not_visited": left,
        "leaves": crowd.leaves,
        "database_mb": round(database_bytes() / 1e6),
        "fill_seconds": round(filled, 1),
        "pages": [one.as_dict() for one in visited],
    }


def _engine(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--engine", choices=ENGINES, default="", help="one engine alone")


if __name__ == "__main__":
    run(measure, __doc__, _engine)
