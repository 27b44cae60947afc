"""Walks over the graph of snapshots and versions, given as plain edges between integers."""

from __future__ import annotations

import heapq
from collections import defaultdict, deque
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import networkx as nx

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


Ends: TypeAlias = tuple[int, int]  # the source and the target of an edge


class Edge(NamedTuple):
    """``dst`` was derived from ``src``, in this role and with this influence."""

    src: int
    dst: int
    role: str
    influence: str

    @property
    def passes(self) -> bool:
        """Whether what ``src`` holds does not act on ``dst``, but what came to ``src`` does.

        So it is where records are followed one by one, by their ordinals or by a map.
        """
        return self.influence == "NONE"


def outgoing(edges: Iterable[Edge]) -> dict[int, list[Edge]]:
    """Return the edges by the node they leave, in a fixed order."""
    table: dict[int, list[Edge]] = defaultdict(list)
    for edge in sorted(edges):
        table[edge.src].append(edge)
    return table


def arrivals(edges: Iterable[Edge], sources: Iterable[int]) -> dict[int, Edge | None]:
    """Return, for each node reachable from a source, the last edge of a shortest path to it.

    A source itself has no such edge. Breadth first, so the number of hops is unlimited.
    """
    table = outgoing(edges)
    reached: dict[int, Edge | None] = dict.fromkeys(sorted(sources))
    waiting = deque(reached)
    while waiting:
        for edge in table.get(waiting.popleft(), ()):
            if edge.dst not in reached:
                reached[edge.dst] = edge
                waiting.append(edge.dst)
    return reached


def descendants(edges: Iterable[Edge], sources: Iterable[int]) -> set[int]:
    """Return every node reachable from the sources, the sources included."""
    return set(arrivals(edges, sources))


def path_to(reached: Mapping[int, Edge | None], target: int) -> tuple[Edge, ...]:
    """Return the edges from a source to ``target``, first edge first, as ``arrivals`` found."""
    steps: list[Edge] = []
    while (edge := reached[target]) is not None:
        steps.append(edge)
        target = edge.src
    return tuple(reversed(steps))


def topological_order(nodes: Iterable[int], edges: Iterable[Edge]) -> list[int]:
    """Return the nodes, each after all it was derived from; the smallest number first.

    Events from outside may name a data set without its state, and so say that two were derived
    from one another. Nodes of such a cycle stand together, in the order of their numbers.
    """
    table = outgoing(edges)
    missing = dict.fromkeys(nodes, 0)
    for edge in (edge for edges_of in table.values() for edge in edges_of):
        missing[edge.dst] = missing.get(edge.dst, 0) + 1
        missing.setdefault(edge.src, 0)
    ready = [node for node, count in missing.items() if not count]
    heapq.heapify(ready)
    order: list[int] = []
    while ready:
        order.append(heapq.heappop(ready))
        for edge in table.get(order[-1], ()):
            missing[edge.dst] -= 1
            if not missing[edge.dst]:
                heapq.heappush(ready, edge.dst)
    return order + _tangled(set(missing) - set(order), table)


def _tangled(rest: set[int], table: Mapping[int, list[Edge]]) -> list[int]:
    """Return the order of what lies on a cycle or behind one."""
    graph: nx.DiGraph[int] = nx.DiGraph()
    graph.add_nodes_from(rest)
    graph.add_edges_from((node, edge.dst) for node in rest for edge in table.get(node, ()))
    parts = nx.condensation(graph)
    members = {part: sorted(parts.nodes[part]["members"]) for part in parts}
    walk = nx.lexicographical_topological_sort(parts, key=lambda part: members[part][0])
    order: list[int] = []
    for part in walk:
        order += members[part]
    return order
