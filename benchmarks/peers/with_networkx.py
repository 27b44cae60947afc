"""networkx: one directed graph in memory, a node for each record."""

from __future__ import annotations

import os
from importlib.metadata import version
from pathlib import Path
from typing import Any

import networkx as nx

from benchmarks.peers.driver import main


class Networkx:
    """A ``DiGraph``."""

    def __init__(self) -> None:
        self.version = version("networkx")
        self._graph: nx.DiGraph[tuple[str, int]] = nx.DiGraph()

    def register(self, graph: dict[str, Any]) -> None:
        """Add the records."""
        self._graph.add_nodes_from(("record", one) for one in range(graph["records"]))

    def fill(self, graph: dict[str, Any]) -> None:
        """Add every edge."""
        for number, members in enumerate(graph["snapshots"]):
            self._graph.add_edges_from((("record", one), ("snapshot", number)) for one in members)
        for number, run in enumerate(graph["runs"]):
            for source, kind in (("snapshot", "snapshot"), ("base", "version")):
                if run[source] is not None:
                    self._graph.add_edge((kind, run[source]), ("version", number))
            if run["teacher"] is not None:
                self._graph.add_edge(("version", run["teacher"]), ("synthetic", number))
                self._graph.add_edge(("synthetic", number), ("version", number))

    def size(self) -> int:
        """Return the resident memory of this process."""
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def ask(self, records: list[int]) -> list[int]:
        """Return the versions below the records."""
        found: set[int] = set()
        for one in records:
            below = nx.descendants(self._graph, ("record", one))
            found.update(number for kind, number in below if kind == "version")
        return list(found)


if __name__ == "__main__":
    main(Networkx)
