"""What the platform bears: posters, open cases, a month of requests, and a long-lived worker.

    python benchmarks/load.py --json [--quick] [--engine sqlite|postgresql] [--home DIR]

1,000 people send the public form at the same time to a real web server; 100,000 open cases are
swept; 10,000 requests a day come for 30 days of made-up time; one worker does 500 jobs, another 50
unlearning runs. ``--quick``: 60 people, 10,000 cases, 1,000 requests a day, 2 jobs, on SQLite;
what is said of 100,000 cases is null then. Filling takes most of the time: with ``--home`` the
open cases stay in the folder and are swept again. The exit code is 1 where a goal was missed.
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

if __package__ in {None, ""}:  # run as a file
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from benchmarks.command import run
from benchmarks.databases import child, chosen
from benchmarks.installation import ENGINES, in_one
from benchmarks.load_deadlines import deadlines
from benchmarks.load_forms import LEVELS, posted
from benchmarks.load_memory import MOST_MB

if TYPE_CHECKING:
    import argparse

MOST_MS, MOST_SECONDS = 2_000.0, 5.0
JOBS, JOBS_QUICK = {"jobs": 500, "runs": 50}, {"jobs": 2, "runs": 0}
PASSES, VISITS, VISITS_QUICK = 3, 30, 3
FIRST = ("posted", "accepted", "lost", "duplicated", "cross_assigned", "p99_ms")


def measure(*, quick: bool = False, engine: str = "", home: Path | None = None) -> dict[str, Any]:
    """Return first what has a goal, then what was missed, then everything."""
    on = engine or ("sqlite" if quick else "postgresql")
    posters, levels = (60, 2) if quick else (1_000, len(LEVELS))
    cases = {"cases": 10_000 if quick else 100_000}
    with chosen(on, home) as environment, ThreadPoolExecutor(1) as beside:
        fill = partial(child, "benchmarks.load_sweep:filled_here", cases, environment)
        jobs = JOBS_QUICK if quick else JOBS
        last = partial(in_one, "sqlite", "benchmarks.load_memory:here", jobs)
        # What the quick form says of time is little anyway, so nothing waits for anything there.
        early = beside.submit(fill) if quick else None
        forms = posted(on, posters=posters, levels=levels)
        month = deadlines(1_000 if quick else 10_000)
        memory = last() if quick else None
        swept = early.result() if early else fill()
        visits = {"visits": VISITS_QUICK if quick else VISITS}
        passes = {"passes": 1 if quick else PASSES}
        swept |= child("benchmarks.load_sweep:swept_here", passes, environment)
        swept |= child("benchmarks.load_sweep:listed_here", visits, environment)
    memory = memory or last()
    slowest = max(one["seconds"] for one in swept["passes"])
    found = {
        **{name: forms[name] for name in FIRST},
        "sweeper_seconds_100k": None if quick else slowest,
        "sweeper_seconds_10k": slowest if quick else None,
        "missed_deadlines": month["at_capacity"]["missed"],
        "worker_grown_mb": memory["grown_mb"],
    }
    return {
        **found,
        "engine": on,
        "missed": [*_missed(found), *_failed(swept["passes"]), *swept["missed"]],
        "forms": forms,
        "sweep": swept,
        "month": month,
        "memory": memory,
    }


def _missed(found: dict[str, Any]) -> list[str]:
    """Return in words which goals were missed."""
    most = {
        **dict.fromkeys(("lost", "duplicated", "cross_assigned", "missed_deadlines"), 0),
        "p99_ms": MOST_MS,
        "sweeper_seconds_10k": MOST_SECONDS,
        "sweeper_seconds_100k": MOST_SECONDS,
        "worker_grown_mb": MOST_MB,
    }
    missed = [
        f"{name}: {found[name]}, allowed is {limit}"
        for name, limit in most.items()
        if found[name] is not None and not found[name] <= limit
    ]
    if found["accepted"] < found["posted"]:
        missed.append(f"accepted: {found['accepted']} of {found['posted']}")
    return missed


def _failed(passes: list[dict[str, Any]]) -> list[str]:
    """A pass in which steps or cases failed was quick for nothing."""
    failed = sum(one["failed"] for one in passes)
    return [f"sweep: {failed} steps or cases failed, allowed is 0"] if failed else []


def _engine(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--engine", choices=ENGINES, default="", help="of forms and open cases")
    parser.add_argument("--home", type=Path, help="keep the open cases here, and sweep them again")


if __name__ == "__main__":
    run(measure, __doc__ or "", _engine)
