"""Which of some ordinals can still act on a node, through all that it was derived from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyroaring import BitMap

from lineage.core.bitmaps import union
from lineage.core.graph import Edge, topological_order

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def carried(
    edges: Iterable[Edge], held: Mapping[int, BitMap], forgotten: Mapping[int, BitMap]
) -> dict[int, BitMap]:
    """Return the ordinals that act on each node, empty sets included.

    A node carries what it holds itself (``held``) and what any node it was derived from carries,
    except what the run that made it removed on purpose (``forgotten``). The cut also holds for
    everything derived from that node later.

    Raises:
        LineageHasCycle: the edges do not form an acyclic graph.
    """
    sources: dict[int, list[int]] = {}
    edges = list(edges)
    for edge in edges:
        sources.setdefault(edge.dst, []).append(edge.src)
    acting: dict[int, BitMap] = {}
    for node in topological_order(held, edges):
        whole = union(acting[source] for source in sources.get(node, ()))
        acting[node] = (whole | held.get(node, BitMap())) - forgotten.get(node, BitMap())
    return acting
