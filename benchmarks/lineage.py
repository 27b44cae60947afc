"""Lineage at scale: size, speed and rightness beside join tables, in one run.

    python benchmarks/lineage.py --json [--quick] [--out FILE]

Random halves (1 million records x 100 versions, each an independent random half) on SQLite and
PostgreSQL, there beside a join table filled by COPY; an evolving data set of 10 million records x
1,000 versions on SQLite; closure over 100,000 runs; a manifest of a million records; capture.
``--quick`` does the same at a tenth of the size.

``--peers`` adds one graph that other systems enter as well, each in an environment of its own;
``--halves-10m`` adds 10 million records x 1,000 random halves on PostgreSQL, which takes long.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import argparse

if __package__ in {None, ""}:  # run as a file
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from benchmarks import lineage_capture, lineage_large, lineage_manifest, lineage_peers
from benchmarks.command import run
from benchmarks.installation import in_both, in_one


def measure(
    *, quick: bool = False, peers: bool = False, halves_10m: bool = False, python310: str = ""
) -> dict[str, Any]:
    """Return every figure; ratios are of what was measured in the same process."""
    found = _own(quick=quick)
    if peers:
        found["peers"] = lineage_peers.peers(quick=quick, python310=python310)
    if halves_10m:
        _say("10 million records x 1,000 random halves")
        found["halves_10m"] = lineage_large.measure(quick=quick)
    return found


def _own(*, quick: bool) -> dict[str, Any]:
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
    ours = halves["postgresql"]
    return {
        "size": "a tenth" if quick else "full",
        "recall": min(one["recall"] for one in halves.values()),
        "precision": min(one["precision"] for one in halves.values()),
        "bytes_per_edge": {
            f"{table}_{engine}": found[f"{table}_bytes_per_edge"]
            for table in ("chunks", "tiles")
            for engine, found in halves.items()
        },
        **_ingest_ratios(halves),
        **_question_ratios(ours, ""),
        **_question_ratios(ours["unprepared"], "_unprepared"),
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


def _ingest_ratios(halves: dict[str, Any]) -> dict[str, float]:
    join = halves["postgresql"]["join"]
    return {
        name: _ratio(halves[engine]["ingest_edges_per_second"], theirs)
        for name, engine, theirs in (
            ("ingest_ratio_vs_copy", "sqlite", join["copy_edges_per_second"]),
            ("ingest_ratio_vs_copy_postgresql", "postgresql", join["copy_edges_per_second"]),
            ("ingest_ratio_vs_text_copy", "postgresql", join["text_copy"]["edges_per_second"]),
        )
    }


def _question_ratios(found: dict[str, Any], suffix: str) -> dict[str, float]:
    return {
        f"{name}_p50_ratio_vs_join{suffix}": _ratio(
            found[name]["p50_ms"], found[f"{name}_join"]["p50_ms"]
        )
        for name in ("one_record", "subject100")
    }


def _ratio(ours: float, theirs: float) -> float:
    return round(ours / theirs, 3)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--peers", action="store_true", help="also measure other systems")
    parser.add_argument("--halves-10m", action="store_true", help="also measure that size")
    parser.add_argument("--python310", default="", help="an interpreter for ML Metadata")


if __name__ == "__main__":
    run(measure, __doc__ or "", _options)
