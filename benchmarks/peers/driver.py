"""What every driver does: read the graph, fill the system, ask it, print JSON.

Only the standard library, in the words of Python 3.10: a driver runs where its system can.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

_SECONDS = 8.0  # for repeating one kind of question
_REPEATS = 30


class System(Protocol):
    """One system; a record, a snapshot and a version are named by their numbers."""

    version: str

    def register(self, graph: dict[str, Any]) -> None:
        """Write the records, which is neither timed nor counted."""

    def fill(self, graph: dict[str, Any]) -> None:
        """Write membership, runs and versions."""

    def size(self) -> int:
        """Return the bytes that the system takes now."""

    def ask(self, records: list[int]) -> list[int]:
        """Return the versions that any of the records acts on."""


def measured(system: System, path: str) -> dict[str, Any]:
    """Fill a system with the graph in a file and ask every question of it."""
    graph = json.loads(Path(path).read_text(encoding="utf-8"))
    system.register(graph)
    before = system.size()
    started = time.perf_counter()
    system.fill(graph)
    seconds = time.perf_counter() - started
    found: dict[str, Any] = {
        "version": system.version,
        "bytes_per_edge": round((system.size() - before) / graph["edges"], 2),
        "edges_per_second": round(graph["edges"] / seconds),
        "answers": {},
        "times_ms": {},
    }
    for name, lists in graph["questions"].items():
        found["answers"][name], found["times_ms"][name] = _asked(system.ask, lists)
    return found


def _asked(
    ask: Callable[[list[int]], list[int]], lists: list[list[int]]
) -> tuple[list[list[int]], list[float]]:
    """Ask each at least once, then again while there is time."""
    answers: list[list[int]] = []
    times: list[float] = []
    began = time.perf_counter()
    while len(answers) < len(lists) or len(times) < _REPEATS:
        if len(answers) == len(lists) and time.perf_counter() - began > _SECONDS:
            break
        records = lists[len(times) % len(lists)]
        started = time.perf_counter()
        answer = ask(records)
        times.append((time.perf_counter() - started) * 1000)
        if len(answers) < len(lists):
            answers.append(sorted(answer))
    return answers, times


def main(system: Callable[[], System]) -> None:
    """Print what is measured with the graph that the command line names."""
    print(json.dumps(measured(system(), sys.argv[1])))


def folder_bytes(folder: Path) -> int:
    """Return the bytes of all files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
