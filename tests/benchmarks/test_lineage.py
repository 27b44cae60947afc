"""The command of the lineage benchmark: its parts at tiny sizes, and what it prints."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import lineage, lineage_capture, lineage_manifest, lineage_store
from benchmarks.databases import child, fresh
from benchmarks.timing import side_by_side, tail

KEYS = [
    "recall",
    "precision",
    "bytes_per_edge",
    "ingest_ratio_vs_copy",
    "one_record_p50_ratio_vs_join",
    "subject100_p50_ratio_vs_join",
    "evolving_10m",
    "closure_100k_runs_p50_ms",
    "capture_overhead_percent",
    "manifest_1m_seconds",
]


def asked(ours, join):
    return {
        "one_record": {"p50_ms": ours},
        "one_record_join": {"p50_ms": join},
        "subject100": {"p50_ms": ours},
        "subject100_join": {"p50_ms": join},
    }


HALVES = {
    "sqlite": {
        "recall": 1.0,
        "precision": 1.0,
        "ingest_edges_per_second": 90,
        "chunks_bytes_per_edge": 0.3,
        "tiles_bytes_per_edge": 0.4,
    },
    "postgresql": {
        "recall": 0.9,
        "precision": 1.0,
        "ingest_edges_per_second": 60,
        "chunks_bytes_per_edge": 0.3,
        "tiles_bytes_per_edge": 0.4,
        **asked(1.0, 2.0),
        "unprepared": asked(3.0, 2.0),
        "join": {"copy_edges_per_second": 3, "text_copy": {"edges_per_second": 1}},
    },
}


def test_the_command_tells_ratios_of_what_it_measured_side_by_side(monkeypatch):
    both = {"sqlite": {"p50_ms": 1.0}, "postgresql": {"p50_ms": 2.0}}
    monkeypatch.setattr(lineage, "in_both", lambda name, _: HALVES if "halves" in name else both)
    monkeypatch.setattr(lineage, "in_one", lambda *_: {"store_mb": 1})
    monkeypatch.setattr(lineage_manifest, "measure", lambda **_: {"manifest_1m_seconds": 5})
    monkeypatch.setattr(lineage_capture, "measure", lambda **_: {"capture_overhead_percent": 0.1})
    found = lineage.measure(quick=True)
    assert [key for key in found if key in KEYS] == KEYS
    assert found["recall"] == 0.9
    assert (found["ingest_ratio_vs_copy"], found["ingest_ratio_vs_text_copy"]) == (30.0, 60.0)
    assert found["one_record_p50_ratio_vs_join"] == 0.5
    assert found["subject100_p50_ratio_vs_join_unprepared"] == 1.5
    assert found["bytes_per_edge"]["tiles_sqlite"] == 0.4
    assert "peers" not in found


def test_times_are_taken_in_turn():
    order: list[str] = []
    found = side_by_side(
        lambda: 1, [lambda _: order.append("a"), lambda _: order.append("b")], repeats=3
    )
    assert order == ["a", "b"] * 3
    assert [set(one) for one in found] == [{"p50_ms", "p99_ms"}] * 2
    assert tail([3.0, 1.0, 2.0]) == {"p50_ms": 2.0, "p99_ms": 3.0}


def test_the_evolving_data_set_grows_and_loses_records():
    masks = [mask.copy() for mask in lineage_store.growing(1_000, 5)]
    assert [len(mask) for mask in masks] == [200, 400, 600, 800, 1000]
    common = len(masks[0])
    assert np.all(masks[-1][:common] <= masks[0])


@pytest.fixture(scope="module")
def halves():
    """The smallest run of random halves in an installation of its own."""
    with fresh("sqlite") as environment:
        return child(
            "benchmarks.lineage_store:halves", {"records": 70_000, "versions": 3}, environment
        )


def test_random_halves_run_in_an_installation_of_their_own(halves):
    assert (halves["recall"], halves["precision"]) == (1.0, 1.0)
    assert halves["chunks_bytes_per_edge"] > 0
