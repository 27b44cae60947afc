"""Which of some ordinals can still act on a node, and on which ways they came to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyroaring import BitMap

from lineage.core.bitmaps import union
from lineage.core.graph import Edge, Ends, arrivals, topological_order

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


def carried(
    edges: Iterable[Edge], held: Mapping[int, BitMap], forgotten: Mapping[Ends, BitMap]
) -> dict[int, BitMap]:
    """Return the ordinals that act on each node, empty sets included.

    A node carries what it holds itself (``held``), and what any node it was derived from carries
    except what was removed on purpose between the two (``forgotten``, by the ends of an edge).
    The cut also holds for everything derived from that node later; it never hides what a snapshot
    holds all the same.
    On a cycle, what one node carries goes round to all.
    """
    edges = list(edges)
    order = topological_order(held, edges)
    place = {node: at for at, node in enumerate(order)}
    backwards = any(place[edge.src] >= place[edge.dst] for edge in edges)
    sources: dict[int, list[int]] = {}
    for edge in edges:
        sources.setdefault(edge.dst, []).append(edge.src)
    acting = _passed(order, sources, held, forgotten, {})
    while backwards:
        before, acting = acting, _passed(order, sources, held, forgotten, acting)
        backwards = acting != before
    return acting


def _passed(
    order: Sequence[int],
    sources: Mapping[int, Sequence[int]],
    held: Mapping[int, BitMap],
    forgotten: Mapping[Ends, BitMap],
    before: Mapping[int, BitMap],
) -> dict[int, BitMap]:
    """Carry once through an order; what comes later in it is as it was before."""
    acting: dict[int, BitMap] = {}
    for node in order:
        parts = []
        for source in sources.get(node, ()):
            part = acting[source] if source in acting else before.get(source, BitMap())
            cut = forgotten.get((source, node))
            parts.append(part - cut if cut else part)
        if node in held:
            parts.append(held[node])
        # Most nodes carry what one other carries: they share its set, which nobody changes.
        first = parts[0] if parts else BitMap()
        same = all(part is first or part == first for part in parts)
        acting[node] = first if same else union(parts)
    return acting


def alike(ordinals: BitMap, cuts: Iterable[BitMap]) -> list[BitMap]:
    """Return the ordinals in groups, each of which lies wholly inside or outside every cut."""
    groups = [ordinals] if ordinals else []
    for cut in cuts:
        groups = [part for group in groups for part in (group & cut, group - cut) if part]
    return groups


def ways(
    edges: Sequence[Edge], held: Mapping[int, BitMap], forgotten: Mapping[Ends, BitMap]
) -> list[dict[int, Edge | None]]:
    """Return shortest ways (see ``arrivals``) on each of which one and the same ordinal flows.

    One table for each group of ordinals that the cuts do not tell apart: a way on which one
    ordinal ends and another begins would explain nothing.
    """
    groups = alike(union(held.values()), forgotten.values())
    return [
        arrivals(
            (
                edge
                for edge in edges
                if not group.intersect(forgotten.get((edge.src, edge.dst), BitMap()))
            ),
            [node for node, members in held.items() if members.intersect(group)],
        )
        for group in groups
    ]
