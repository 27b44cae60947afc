"""The graph that is laid out in the measurement is as large as it says, and is folded."""

from __future__ import annotations

from benchmarks import explorer


def test_the_small_measurement_has_every_figure(monkeypatch):
    monkeypatch.setattr(explorer, "REPEATS", 2)
    found = explorer.measure(quick=True)
    assert found["nodes"] == 200 < found["edges"]
    assert found["folded_nodes"] < 200
    assert all(found[part]["p50_ms"] > 0 for part in ("layout", "folding", "folded_layout"))
