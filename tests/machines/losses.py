"""How a machine is lost in the middle of a job, and how it comes back.

* **cut off**: its cable is pulled for longer than its lease, and put back. Nobody is told: no
  connection is closed.
* **stands still**: all its processes are stopped. When somebody else has the job, the process
  that does it goes on alone, as if it still held it; the worker above it, which would end it, only
  after that.
"""

from __future__ import annotations

import signal
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.faults import processes

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.machines.cluster import Cluster, Machine

PATIENCE = 90  # seconds until somebody else has the job, or has done it
CUT = 20  # seconds without a cable
ALONE = 30  # seconds that a process may go on without the worker above it
# What a process says that may not write any more, and one that may not even begin.
LATE = ("was taken back; nothing more", "was taken back since it was claimed")
WORDS = {"cut": "cut off", "still": "stands still"}
ENDED = ("SUCCEEDED", "FAILED", "CANCELLED")


@dataclass(frozen=True, kw_only=True)
class Busy:
    """A machine that does a job; ``holder`` is the claim under which it does."""

    machine: Machine
    job: str
    pid: int
    kind: str
    holder: str


def busy(site: Cluster, wanted: str) -> Busy | None:
    """Return a machine that does a job of a kind now; any kind where none is named.

    Its process has begun with it: one that is still being started has nothing to write yet.
    """
    for machine in site.machines:
        for job, pid in machine.jobs().items():
            kind, status, holder, phase = row(site, job)
            if status == "RUNNING" and phase and wanted in ("", kind):
                return Busy(machine=machine, job=job, pid=pid, kind=kind, holder=holder)
    return None


def row(site: Cluster, job: str) -> tuple[str, str, str, str]:
    """Return kind, state, holder and phase of a job."""
    found = site.rows(f"SELECT kind, status, holder, phase FROM lineage_job WHERE id = '{job}'")
    kind, status, holder, phase = found[0]
    return kind, status, str(holder), phase


def lose(site: Cluster, busy: Busy, way: str) -> dict[str, Any]:
    """Lose a machine and let it come back; return what was seen of its job."""
    late = _late(busy.machine)
    began = time.monotonic()
    seen = (_cut if way == "cut" else _still)(site, busy, began)
    return {
        "line": "loss",
        "way": way,
        "machine": busy.machine.number,
        "job": busy.kind,
        "lasted": round(time.monotonic() - began, 1),
        "late": _late(busy.machine) - late,
        **seen,
    }


def _cut(site: Cluster, busy: Busy, began: float) -> dict[str, Any]:
    busy.machine.net.cut(busy.machine.number)
    try:
        taken = _wait(lambda: _taken(site, busy), PATIENCE)
        at = time.monotonic() - began
        done = _wait(lambda: row(site, busy.job)[1] in ENDED, CUT)
        time.sleep(max(0.0, CUT - (time.monotonic() - began)))
        survived = processes.alive(busy.pid)
    finally:
        busy.machine.net.join(busy.machine.number)
    return {"taken": round(at, 1) if taken else None, "done": done, "survived": survived}


def _still(site: Cluster, busy: Busy, began: float) -> dict[str, Any]:
    pids = busy.machine.pids()
    processes.end(pids, signal.SIGSTOP)
    try:
        taken = _wait(lambda: _taken(site, busy), PATIENCE)
        at = time.monotonic() - began
        _wait(lambda: row(site, busy.job)[1] != "QUEUED", PATIENCE)  # until somebody else has it
        done = _wait(lambda: row(site, busy.job)[1] in ENDED, CUT)
        survived, state = processes.alive(busy.pid), row(site, busy.job)[1]
        processes.end([busy.pid], signal.SIGCONT)
        _wait(lambda: not processes.alive(busy.pid), ALONE)
    finally:
        processes.end(pids, signal.SIGCONT)
    seen = {"taken": round(at, 1) if taken else None, "done": done, "survived": survived}
    return {**seen, "state": state}


def _taken(site: Cluster, busy: Busy) -> bool:
    return row(site, busy.job)[2] != busy.holder


def _wait(done: Callable[[], bool], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


def _late(machine: Machine) -> int:
    """Return how often a process of a machine was told that its job is somebody else's."""
    said = machine.log.read_text(errors="replace")
    return sum(said.count(words) for words in LATE)
