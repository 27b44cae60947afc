"""People ask after one another while machines are lost, one at a time, in the middle of jobs."""

from __future__ import annotations

import itertools
import shutil
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.faults import lanes, profile
from tests.faults.campaign import damage_of
from tests.faults.results import bad
from tests.faults.watch import RECOVERY
from tests.machines import losses
from tests.machines.cluster import LEASE, Cluster, cluster
from tests.machines.net import network

if TYPE_CHECKING:
    from collections.abc import Callable

MACHINES = 3
# Without an audit of shadow models there is no such job in the quick form.
KINDS = tuple(
    kind
    for kind in ("UNLEARN", "ERASE", "AUDIT", "JUDGE", "PLAN", "REPORT")
    if kind != "AUDIT" or not profile.QUICK
)
SEEKING = 60  # seconds until a job of any other kind will do


def play(count: int, people: int, say: Callable[[str], None]) -> list[dict[str, Any]]:
    """Lose machines ``count`` times while ``people`` of each data set ask; return the lines."""
    folder = Path(tempfile.mkdtemp(prefix="expunge-machines-"))
    try:
        with network(MACHINES) as net, cluster(net, folder) as site:
            say("data and models are prepared")
            site.open()
            say("everything runs")
            return _through(site, count, people, say)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _through(
    site: Cluster, count: int, people: int, say: Callable[[str], None]
) -> list[dict[str, Any]]:
    stop, last = threading.Event(), threading.Event()
    crew = [lanes.Lane(site, n, stop, last, people=people) for n in range(profile.LANES)]
    threads = [threading.Thread(target=lane.run, daemon=True) for lane in crew]
    for thread in threads:
        thread.start()
    try:
        lines = _losing(site, count, crew, say)
        last.set()
        end = time.monotonic() + 2 * RECOVERY
        for thread in threads:
            thread.join(max(0.0, end - time.monotonic()))
    finally:
        stop.set()
        for thread in threads:
            thread.join(30)
    return [*lines, _looked_at(site, crew, say)]


def _losing(
    site: Cluster, count: int, crew: list[lanes.Lane], say: Callable[[str], None]
) -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = []
    plan = itertools.cycle(itertools.product(KINDS, losses.WORDS))
    for kind, way in itertools.islice(plan, count):
        found = _sought(site, kind, crew)
        if found is None:
            break
        line = losses.lose(site, found, way)
        say(f"{line}")
        lines.append(line)
    return lines


def _sought(site: Cluster, kind: str, crew: list[lanes.Lane]) -> losses.Busy | None:
    begin = time.monotonic()
    while any(lane.busy for lane in crew):
        patient = time.monotonic() < begin + SEEKING
        if found := losses.busy(site, kind if patient else ""):
            return found
        time.sleep(0.05)
    return None


def _looked_at(
    site: Cluster, crew: list[lanes.Lane], say: Callable[[str], None]
) -> dict[str, Any]:
    end = time.monotonic() + 60
    while not site.whole() and time.monotonic() < end:
        time.sleep(0.5)
    found = damage_of(site)
    troubles = [lane.trouble for lane in crew if lane.trouble]
    harm = bad(found)
    for line in [*troubles, *(f"{kind}: {one}" for kind in harm for one in harm[kind][:5])]:
        say(line[:600])
    return {
        "line": "round",
        "machines": MACHINES,
        "lease": LEASE,
        "whole": site.whole(),
        "cases": sum(len(lane.done) for lane in crew),
        "retried": [code for lane in crew for code in lane.retried],
        "troubles": troubles,
        "damage": found,
    }
