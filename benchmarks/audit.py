"""The log at scale, the report of a case and its verification.

    python benchmarks/audit.py --json [--quick] [--out FILE]

Eight processes append to one log on PostgreSQL. The log of a million events is filled in SQLite by
COPY-like inserts of real events with their subtrees; then proofs are read from it under the
newest checkpoint, and ``check_log``, which is what ``manage.py fsck`` does with the log, reads all
of it. The report of a sealed case is made in a new process, and its zip is verified by both
programs, as commands; the slower one counts. ``--quick`` has ten thousand events, and fewer to
append. The goals that were missed are named, with the profile of one writer beside.

The private PostgreSQL server does not wait for a disk, so its figure is one of locks and work.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

if __package__ in {None, ""}:  # run as a file
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from benchmarks.command import run
from benchmarks.installation import in_one

EVENTS, QUICK = 1_000_000, 10_000
WRITERS = 8
# What each figure must reach, from the one to below the other; docs/benchmarks.md says why.
GOALS = {
    "append_per_second": (300.0, float("inf")),
    "inclusion_proof_ms": (0.0, 5.0),
    "fsck_1m_seconds": (0.0, 60.0),
    "report_seconds": (0.0, 3.0),
    "verify_seconds": (0.0, 1.0),
}


def measure(*, quick: bool = False) -> dict[str, Any]:
    """Return every figure; the first ones are those that are compared between releases."""
    each = 100 if quick else 500
    appended = in_one(
        "postgresql", "benchmarks.audit_log:appended", {"writers": WRITERS, "each": each}
    )
    events = QUICK if quick else EVENTS
    large = in_one("sqlite", "benchmarks.audit_log:large", {"events": events})
    report = in_one("sqlite", "benchmarks.audit_report:reported", {"repeats": 1 if quick else 5})
    figures = {
        "append_per_second": appended["per_second"],
        "inclusion_proof_ms": large["inclusion_proof"]["p50_ms"],
        "fsck_1m_seconds": None if quick else large["fsck_seconds"],
        "report_seconds": report["report"]["first"]["seconds"],
        "verify_seconds": max(one["seconds"] for one in report["verify"].values()),
    }
    return {
        **figures,
        "missed": missed(figures),
        "appended": appended,
        "large": large,
        "report": report,
    }


def missed(figures: dict[str, float | None]) -> list[str]:
    """Return a sentence for each goal that was not reached."""
    sentences = []
    for name, (least, most) in GOALS.items():
        value = figures[name]
        if value is not None and not least <= value < most:
            goal = f"at least {least:g}" if least else f"below {most:g}"
            sentences.append(f"{name} is {value:g}; the goal is {goal}.")
    return sentences


if __name__ == "__main__":
    run(measure, __doc__ or "")
