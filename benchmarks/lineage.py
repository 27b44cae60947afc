"""Lineage at scale: size, speed and rightness beside join tables, in one run.

    python benchmarks/lineage.py --json [--quick] [--out FILE]

Random halves (1 million records x 100 versions, each an independent random half) on SQLite and
PostgreSQL, there beside a join table filled by COPY; an evolving data set of 10 million records x
1,000 versions on SQLite; closure over 100,000 runs; a manifest of a million records; capture.
``--quick`` does the same at a tenth of the size.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

if __package__ in {None, ""}:  # run as a file
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from benchmarks import lineage_capture, lineage_manifest
from benchmarks.command import run
from benchmarks.installation import in_both, in_one


def measure(*, quick: bool = False) -> dict[str, Any]:
    """Return every figure; ratios are of what was measured in the same process."""
    part = 10 if quick else 1
    _say("random halves")
    halves = in_both(
        "benchmarks.lineage_store:halves", {"records": 1_000_000 // part, "versions": 100}
    )
    _say("evolving data set")
    evolving = in_one(
        "sqlite",
        "benchmarks.lineage_store:evolving",
        {"records": 10_000_000 // part, "versions": 1_000},
    )
    _say("closure")
    closure = in_both("benchmarks.lineage_graph:closure", {"runs": 100_000 // part})
    _say("manifest")
    manifest = lineage_manifest.measure(quick=quick)
    _say("capture")
    capture = lineage_capture.measure(quick=quick)
    ours, join = halves["postgresql"], halves["postgresql"]["join"]
    return {
        "size": "a tenth" if quick else "full",
        "recall": min(one["recall"] for one in halves.values()),
        "precision": min(one["precision"] for one in halves.values()),
        "bytes_per_edge": {
            f"{table}_{engine}": found[f"{table}_bytes_per_edge"]
            for table in ("chunks", "tiles")
            for engine, found in halves.items()
        },
        "ingest_ratio_vs_copy": _ratio(
            halves["sqlite"]["ingest_edges_per_second"], join["copy_edges_per_second"]
        ),
        "one_record_p50_ratio_vs_join": _ratio(
            ours["one_record"]["p50_ms"], join["one_record"]["p50_ms"]
        ),
        "subject100_p50_ratio_vs_join": _ratio(
            ours["subject100"]["p50_ms"], join["subject100"]["p50_ms"]
        ),
        "evolving_10m": evolving,
        "closure_100k_runs_p50_ms": {name: one["p50_ms"] for name, one in closure.items()},
        "capture_overhead_percent": capture["capture_overhead_percent"],
        "manifest_1m_seconds": manifest["manifest_1m_seconds"],
        "parts": {
            "halves": halves,
            "closure": closure,
            "manifest": manifest,
            "capture": capture,
        },
    }


def _ratio(ours: float, theirs: float) -> float:
    return round(ours / theirs, 3)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    run(measure, __doc__ or "")
