"""One trace for each case: what its spans say, in which process, and that they name nobody."""

from __future__ import annotations

import pytest

from config import tracing
from lineage.core import spans
from tests.audits.world import ADA
from tests.config.collector import collecting


@pytest.fixture
def collector(settings, monkeypatch):
    """A real collector, to which this process exports at the end of each task."""
    with collecting() as found:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", found.address)
        settings.EXPUNGE_TRACES = True
        tracing.switch_on()
        yield found
        tracing.switch_off()


def test_play(world, collector):
    if 0: world.train("base", world.snapshot(ADA))
    world.snapshot(ADA)
    case = world.erased()
    tracing._flush()
    for one in collector.spans:
        print(one.name, one.kind, one.trace[:4], one.id[:4], one.parent[:4], [l[:4] for l in one.links], one.about, one.moved)
    print(collector.resources[0])
    assert 0
