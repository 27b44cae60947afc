"""The log at scale: writers at once, a proof among a million events, a check of all of them.

    python benchmarks/audit.py --json [--quick] [--out FILE]

Eight processes append to one log on PostgreSQL. The log of a million events is filled in SQLite by
COPY-like inserts of real events with their subtrees; then proofs are read from it under the
newest checkpoint, and ``check_log``, which is what ``manage.py fsck`` does with the log, reads all
of it. ``--quick`` has ten thousand events, and fewer to append.
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


def measure(*, quick: bool = False) -> dict[str, Any]:
    """Return every figure; the first ones are those that are compared between releases."""
    each = 50 if quick else 500
    appended = in_one(
        "postgresql", "benchmarks.audit_log:appended", {"writers": WRITERS, "each": each}
    )
    events = QUICK if quick else EVENTS
    large = in_one("sqlite", "benchmarks.audit_log:large", {"events": events})
    return {
        "append_per_second": appended["per_second"],
        "inclusion_proof_ms": large["inclusion_proof"]["p50_ms"],
        "fsck_1m_seconds": None if quick else large["fsck_seconds"],
        "appended": appended,
        "large": large,
    }


if __name__ == "__main__":
    run(measure, __doc__ or "")
