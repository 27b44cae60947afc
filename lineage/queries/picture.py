"""The part of the graph that an interface draws: bounded, collapsed, and honest about both.

Answers come from ``closure``; this module only chooses what is shown of them.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import networkx as nx

from lineage.core.graph import outgoing, topological_order
from lineage.models import DatasetSnapshot
from lineage.queries.edges import edges_above, edges_below
from lineage.queries.nodes import shown

if TYPE_CHECKING:
    import uuid
    from collections.abc import Collection, Iterable

    from lineage.core.graph import Edge
    from lineage.queries.nodes import Shown

MOST = 200  # nodes that a person can still take in
_ANY = ""  # no edge has this influence, so none is left out


@dataclass(frozen=True, kw_only=True)
class Picture:
    """What to draw.

    * ``graph``: nodes with ``label``, ``kind`` (SNAPSHOT, FAMILY, MODEL) and ``count`` (snapshots
      behind a family); edges with ``roles``, ``influence`` (the strongest) and ``count``;
      without cycles, and whatever is drawn is connected with a centre by what is drawn;
    * ``left_out``: names and labels of nodes further from the centre than those that fit.
    """

    graph: nx.DiGraph[str] = field(repr=False)
    left_out: dict[str, str] = field(repr=False)


def to_networkx(edges: Iterable[Edge]) -> nx.DiGraph[int]:
    """Return edges as a graph for analysis, nodes by their small integer, nothing left out."""
    graph: nx.DiGraph[int] = nx.DiGraph()
    for edge in edges:
        graph.add_edge(edge.src, edge.dst, role=edge.role, influence=edge.influence)
    return graph


def picture(
    centres: Collection[int], *, most: int = MOST, expanded: Collection[uuid.UUID] = ()
) -> Picture:
    """Return the neighbourhood of some nodes, up and down.

    Args:
        centres: nodes, for instance those of the snapshots that hold a person's records.
        most: nodes to draw; the nearest to the centres are.
        expanded: ids of data sets whose snapshots are drawn one by one; those of any other data
            set become one node, a family, or one for each generation where one alone would seem
            to be derived from itself.

    Raises:
        LineageHasCycle: the graph is damaged.
    """
    edges = {*edges_above(centres, without=_ANY), *edges_below(centres, without=_ANY)}
    table = shown({end for edge in edges for end in (edge.src, edge.dst)} | set(centres))
    drawn = _untangled(_drawn_as(table, expanded), edges)
    whole = _collapsed(edges, table, drawn)
    near = _nearest(whole, {drawn[one] for one in centres if one in drawn}, most)
    graph = whole.subgraph(near).copy()
    left_out = {name: whole.nodes[name]["label"] for name in whole if name not in graph}
    return Picture(graph=graph, left_out=left_out)


def _drawn_as(table: dict[int, Shown], expanded: Collection[uuid.UUID]) -> dict[int, str]:
    """Return the name of the drawn node that stands for each node."""
    snapshots = DatasetSnapshot.objects.filter(
        id__in=[one.node.object_id for one in table.values() if one.version is None]
    )
    families = dict(snapshots.values_list("id", "dataset_id"))
    drawn = {}
    for pk, one in table.items():
        family = families.get(one.node.object_id)
        alone = family is None or family in expanded
        drawn[pk] = str(one.node.object_id) if alone else f"family:{family}"
    return drawn


def _untangled(drawn: dict[int, str], edges: Collection[Edge]) -> dict[int, str]:
    """Split families that lie on a cycle by generation, the longest way from any source.

    A cycle of the picture stays within one strongly connected part, and there every edge leads to
    a later generation: so none is left, and families that tangle nothing stay whole.
    """
    tangled: set[str] = set()
    graph = nx.DiGraph((drawn[edge.src], drawn[edge.dst]) for edge in edges)
    for part in nx.strongly_connected_components(graph):
        tangled |= part if len(part) > 1 else set()
    if not tangled:
        return drawn
    generation = _generations(edges)
    return {
        node: f"{name}:{generation.get(node, 0)}" if name in tangled and _is_family(name) else name
        for node, name in drawn.items()
    }


def _generations(edges: Collection[Edge]) -> dict[int, int]:
    table = outgoing(edges)
    generation: dict[int, int] = {}
    for node in topological_order([], edges):
        own = generation.setdefault(node, 0)
        for edge in table.get(node, ()):
            generation[edge.dst] = max(generation.get(edge.dst, 0), own + 1)
    return generation


def _is_family(name: str) -> bool:
    return name.startswith("family:")


def _collapsed(
    edges: Iterable[Edge], table: dict[int, Shown], drawn: dict[int, str]
) -> nx.DiGraph[str]:
    graph: nx.DiGraph[str] = nx.DiGraph()
    behind: dict[str, list[Shown]] = defaultdict(list)
    for pk, one in table.items():
        behind[drawn[pk]].append(one)
    for name, members in behind.items():
        graph.add_node(name, **_looks(name, members))
    for edge in edges:
        source, target = drawn[edge.src], drawn[edge.dst]
        if source != target:
            _add(graph, source, target, edge)
    return graph


def _looks(name: str, members: list[Shown]) -> dict[str, object]:
    if _is_family(name) and len(members) > 1:
        first, last = (one.label for one in (members[0], members[-1]))
        label = f"{first.rpartition('@')[0]} ({len(members)} snapshots)"
        return {"label": label, "kind": "FAMILY", "count": len(members), "last": last}
    return {"label": members[0].label, "kind": members[0].node.kind, "count": 1}


def _add(graph: nx.DiGraph[str], source: str, target: str, edge: Edge) -> None:
    if not graph.has_edge(source, target):
        graph.add_edge(source, target, roles=set(), influence="NONE", count=0)
    data = graph.edges[source, target]
    data["roles"].add(edge.role)
    data["count"] += 1
    data["influence"] = max(
        data["influence"], edge.influence, key=("NONE", "INDIRECT", "DIRECT").index
    )


def _nearest(graph: nx.DiGraph[str], centres: set[str], most: int) -> list[str]:
    """Return the nodes to draw: with each of them a way from it to a centre, down if there is one.

    A near node that could be seen only through one that does not fit would hang in the air.
    """
    layers = nx.bfs_layers(graph, sorted(centres))
    distance = {name: hops for hops, names in enumerate(layers) for name in names}
    for name in reversed(list(nx.topological_sort(graph))):
        if name not in distance:
            above = (distance[one] for one in graph.successors(name) if one in distance)
            distance[name] = 1 + min(above, default=len(graph))
    return sorted(distance, key=lambda name: (distance[name], name))[:most]
