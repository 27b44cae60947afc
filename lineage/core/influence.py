"""Which of some ordinals can still act on a node, and on which ways they came to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pyroaring import BitMap

from lineage.core.bitmaps import union
from lineage.core.graph import Edge, Ends, arrivals, path_to, topological_order

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence, Set


class Flow(NamedTuple):
    """The ordinals that act on each node, and those among them that came from another node."""

    acting: dict[int, BitMap]
    came: dict[int, BitMap]

    def along(self, edge: Edge, cut: BitMap | None) -> BitMap:
        """Return what passes on an edge; empty where its source is not reached (yet)."""
        part = (self.came if edge.passes else self.acting).get(edge.src, BitMap())
        return part - cut if cut else part


def carried(
    edges: Iterable[Edge],
    held: Mapping[int, BitMap],
    forgotten: Mapping[Ends, BitMap],
    arrived: Mapping[int, BitMap] | None = None,
) -> Flow:
    """Return the ordinals that act on each node, empty sets included.

    A node carries what it holds itself (``held``), and what any node it was derived from carries
    except what was removed on purpose between the two (``forgotten``, by the ends of an edge).
    The cut also holds for everything derived from that node later; it never hides what a snapshot
    holds all the same. Where the records of a source are followed one by one, only what came to
    the source from elsewhere goes on. ``arrived`` is known to have come to a node, whatever of
    the way is left. On a cycle, what one node carries goes round to all.
    """
    edges = list(edges)
    known = arrived or {}
    order = topological_order([*held, *known], edges)
    place = {node: at for at, node in enumerate(order)}
    backwards = any(place[edge.src] >= place[edge.dst] for edge in edges)
    into: dict[int, list[Edge]] = {}
    for edge in edges:
        into.setdefault(edge.dst, []).append(edge)
    flow = _passed(order, into, (held, known), forgotten, Flow({}, {}))
    while backwards:
        before, flow = flow, _passed(order, into, (held, known), forgotten, flow)
        backwards = flow != before
    return flow


def _passed(
    order: Sequence[int],
    into: Mapping[int, Sequence[Edge]],
    given: tuple[Mapping[int, BitMap], Mapping[int, BitMap]],
    forgotten: Mapping[Ends, BitMap],
    before: Flow,
) -> Flow:
    """Carry once through an order; what comes later in it is as it was before."""
    held, arrived = given
    flow = Flow(dict(before.acting), dict(before.came))
    for node in order:
        parts = [
            flow.along(edge, forgotten.get((edge.src, edge.dst))) for edge in into.get(node, ())
        ]
        parts += [arrived[node]] if node in arrived else []
        flow.came[node] = _joined(parts)
        own = held.get(node)
        flow.acting[node] = _joined([*parts, own]) if own else flow.came[node]
    # In the order of the nodes, whatever was known before.
    return Flow({node: flow.acting[node] for node in order}, flow.came)


def _joined(parts: Sequence[BitMap]) -> BitMap:
    """Return all of it; most nodes carry what one other carries, and share its set."""
    first = parts[0] if parts else BitMap()
    same = all(part is first or part == first for part in parts)
    return first if same else union(parts)


def alike(ordinals: BitMap, cuts: Iterable[BitMap]) -> list[BitMap]:
    """Return the ordinals in groups, each of which lies wholly inside or outside every cut."""
    groups = [ordinals] if ordinals else []
    for cut in cuts:
        groups = [part for group in groups for part in (group & cut, group - cut) if part]
    return groups


def ways(
    edges: Sequence[Edge],
    held: Mapping[int, BitMap],
    forgotten: Mapping[Ends, BitMap],
    arrived: Mapping[int, BitMap],
) -> list[dict[int, Edge | None]]:
    """Return shortest ways (see ``way_to``) on each of which one and the same ordinal flows.

    One table for each group of ordinals that the cuts do not tell apart: a way on which one
    ordinal ends and another begins would explain nothing. A node that holds the ordinal stands in
    it as its complement, since what it holds does not go everywhere that what came to it goes.
    """
    groups = alike(union([*held.values(), *arrived.values()]), forgotten.values())
    tables = []
    for group in groups:
        holders = {node for node, members in held.items() if members.intersect(group)}
        reached = [node for node, members in arrived.items() if members.intersect(group)]
        open_edges = (
            edge
            for edge in edges
            if not group.intersect(forgotten.get((edge.src, edge.dst), BitMap()))
        )
        starts = [*(~node for node in holders), *reached]
        tables.append(arrivals(_doubled(open_edges, holders), starts))
    return tables


def _doubled(edges: Iterable[Edge], holders: Set[int]) -> Iterator[Edge]:
    for edge in edges:
        yield edge
        if edge.src in holders and not edge.passes:
            yield edge._replace(src=~edge.src)


def way_to(way: Mapping[int, Edge | None], node: int) -> tuple[Edge, ...]:
    """Return the edges of a shortest way to a node, first edge first."""
    return tuple(
        edge._replace(src=~edge.src) if edge.src < 0 else edge for edge in path_to(way, node)
    )
