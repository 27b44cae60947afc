"""How long the server takes to fold and to lay out the graph that the lineage pages draw.

    python benchmarks/explorer.py --json [--quick] [--out FILE]

A made-up registry of 2,000 nodes (``--quick``: 200): snapshots of twenty data sets, each derived
from the one before, models on one to three of them, and models tuned from models. ``layout`` is
of the whole graph, ``folding`` of what makes it small, ``folded_layout`` of what is left.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path
from typing import Any

if __package__ in {None, ""}:  # run as a file
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from benchmarks.command import run
from benchmarks.timing import repeated
from lineage.core.folding import Item, folded
from lineage.core.graph import Edge
from lineage.core.layered import layered

DATA_SETS, REPEATS = 20, 20
TUNED = 0.3  # share of models that start from an earlier one


def measure(*, quick: bool = False) -> dict[str, Any]:
    """Return p50 and p99 in milliseconds, and the size of what was drawn."""
    items, edges = registry(200 if quick else 2_000)
    names = [str(item.node) for item in items]
    pairs = [(str(edge.src), str(edge.dst)) for edge in edges]
    small = folded(items, edges)
    return {
        "nodes": len(names),
        "edges": len(pairs),
        "folded_nodes": len(small.members),
        "folded_edges": len(small.edges),
        "layout": repeated(lambda: None, lambda _: layered(names, pairs), REPEATS),
        "folding": repeated(lambda: None, lambda _: folded(items, edges), REPEATS),
        "folded_layout": repeated(
            lambda: None, lambda _: layered(small.members, small.edges), REPEATS
        ),
    }


def registry(size: int) -> tuple[list[Item], list[Edge]]:
    """Return a graph of ``size`` nodes, two in five of them snapshots."""
    drawn = random.Random(3)  # noqa: S311  (a sample, not a secret)
    snapshots = size * 2 // 5
    items = [
        Item(node=at, name=str(at), kind="SNAPSHOT", family=str(at % DATA_SETS))
        for at in range(snapshots)
    ]
    items += [Item(node=at, name=str(at), kind="MODEL") for at in range(snapshots, size)]
    edges = [Edge(at - DATA_SETS, at, "SOURCE_DATA", "NONE") for at in range(DATA_SETS, snapshots)]
    for model in range(snapshots, size):
        sources = drawn.sample(range(snapshots), drawn.choice((1, 1, 1, 2, 3)))
        edges += [Edge(source, model, "TRAINING", "DIRECT") for source in sources]
        if model > snapshots and drawn.random() < TUNED:
            base = drawn.randrange(snapshots, model)
            edges.append(Edge(base, model, "BASE_MODEL", "DIRECT"))
    return items, edges


if __name__ == "__main__":
    run(measure, __doc__)
