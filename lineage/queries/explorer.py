"""The lineage graph as it is drawn: bounded, folded, laid out, and honest about all three."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lineage.core.folding import SHOWN, folded, nearest
from lineage.core.layered import layered
from lineage.queries.graph_facts import facts_of
from lineage.queries.graph_region import region_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from lineage.core.folding import Folded, Near
    from lineage.core.graph import Edge
    from lineage.core.layered import Layout, Place
    from lineage.queries.graph_facts import Facts
    from lineage.queries.graph_region import Asked, Region

STRENGTH = ("NONE", "INDIRECT", "DIRECT")


@dataclass(frozen=True, kw_only=True)
class Node:
    """One node of the picture.

    * ``name``: unique in it; ``members``: what is behind it, one unless it is folded;
    * ``hops``: edges to the nearest centre, below 0 upwards;
    * ``unknown``: of some of it nobody recorded what the run that wrote it had read;
    * ``possible``: it may have learned from the person's records;
    * ``touched``: the most of the person's records that act on one of its members;
    * ``opens``, ``folds``: what to open to see its members, what to close to fold it again;
    * ``on_way``: it lies on the way that was asked for.
    """

    name: str
    members: tuple[Facts, ...] = field(repr=False)
    place: Place
    hops: int
    touched: int = 0
    possible: bool = False
    opens: str = ""
    folds: str = ""
    on_way: bool = False

    @property
    def first(self) -> Facts:
        """One of its members, which says what they are."""
        return self.members[0]

    @property
    def unknown(self) -> bool:
        """Whether nobody recorded what the run behind some of it had read."""
        return any(one.unknown for one in self.members)


@dataclass(frozen=True, kw_only=True)
class Line:
    """One edge of the picture.

    ``influence`` is the strongest of those behind it, ``count`` how many these are; ``between``
    are the places over which it passes.
    """

    source: str
    target: str
    roles: tuple[str, ...]
    influence: str
    count: int
    between: tuple[Place, ...] = ()
    back: bool = False
    on_way: bool = False


@dataclass(frozen=True, kw_only=True)
class Explored:
    """What to draw, and what is not drawn.

    * ``left_out``: nodes of the picture that do not fit, each with its members;
    * ``way_found``: None where no way was asked for;
    * ``possibly``: what the picture is about may have learned from the person, or hold records;
    * ``records``: how many the person has; None without a person.
    """

    nodes: tuple[Node, ...]
    lines: tuple[Line, ...]
    left_out: tuple[tuple[Facts, ...], ...] = field(default=(), repr=False)
    way_found: bool | None = None
    possibly: bool = False
    records: int | None = None

    @property
    def unknown_left_out(self) -> int:
        """How many nodes with unknown coverage do not fit: 0 but beyond the most ever drawn."""
        return sum(1 for members in self.left_out for one in members if one.unknown)


def explore(asked: Asked, *, opened: Collection[str] = (), shown: int = SHOWN) -> Explored:
    """Return the picture of what was asked for.

    Args:
        asked: the centre, and as of when.
        opened: families and groups that are not folded, as ``Node.opens`` names them.
        shown: nodes to draw at least, if there are so many; see ``nearest``.

    Raises:
        ChunkAltered, TileAltered: stored membership is not what was written.
    """
    region = region_of(asked)
    facts = facts_of(region.nodes, as_of=asked.as_of)
    edges = [edge for edge in region.edges if edge.src in facts and edge.dst in facts]
    alone = {
        node
        for node, one in facts.items()
        if one.dataset is None
        and (one.unknown or node in region.possible or node in region.centres)
    }
    items = [one.item(alone=node in alone) for node, one in sorted(facts.items())]
    graph = folded(items, edges, opened=opened)
    drawn = {node: name for name, nodes in graph.members.items() for node in nodes}
    near = _near(region, facts, graph, drawn, shown)
    pairs = [ends for ends in graph.edges if all(end in near.distance for end in ends)]
    layout = layered(near.distance, pairs)
    on_way = _way(region, drawn)
    return Explored(
        nodes=tuple(_nodes(region, facts, graph, near, layout, on_way)),
        lines=tuple(
            _line(ends, graph.edges[ends], layout, on_way=ends in on_way) for ends in sorted(pairs)
        ),
        left_out=tuple(
            tuple(facts[node] for node in graph.members[name]) for name in near.left_out
        ),
        way_found=None
        if not (asked.version and (asked.dataset or asked.person))
        else (region.way is not None),
        possibly=not region.centres.isdisjoint(region.possible),
        records=region.records,
    )


def _near(
    region: Region,
    facts: Mapping[int, Facts],
    graph: Folded,
    drawn: Mapping[int, str],
    shown: int,
) -> Near:
    first = {node for node, one in facts.items() if one.unknown or node in region.possible}
    first |= {end for edge in region.way or () for end in (edge.src, edge.dst)}
    centres = (region.centres | region.possible) & facts.keys()
    return nearest(
        graph,
        {drawn[node] for node in centres},
        {drawn[node] for node in first & facts.keys()},
        shown=shown,
    )


def _way(region: Region, drawn: Mapping[int, str]) -> set[tuple[str, str]]:
    ends = ((drawn.get(edge.src, ""), drawn.get(edge.dst, "")) for edge in region.way or ())
    return {(source, target) for source, target in ends if source != target}


def _nodes(
    region: Region,
    facts: Mapping[int, Facts],
    graph: Folded,
    near: Near,
    layout: Layout,
    on_way: set[tuple[str, str]],
) -> Iterable[Node]:
    passed = {end for ends in on_way for end in ends}
    for name, hops in near.distance.items():
        behind = graph.members[name]
        yield Node(
            name=name,
            members=tuple(facts[node] for node in behind),
            place=layout.places[name],
            hops=hops,
            touched=max(region.touched.get(node, 0) for node in behind),
            possible=any(node in region.possible for node in behind),
            opens=graph.opens.get(name, ""),
            folds=graph.folds.get(name, ""),
            on_way=name in passed,
        )


def _line(ends: tuple[str, str], behind: Sequence[Edge], layout: Layout, *, on_way: bool) -> Line:
    source, target = ends
    back = ends in layout.turned
    between = layout.ways.get((target, source) if back else ends, ())
    return Line(
        source=source,
        target=target,
        roles=tuple(sorted({edge.role for edge in behind})),
        influence=max((edge.influence for edge in behind), key=STRENGTH.index),
        count=len(behind),
        between=between[::-1] if back else between,
        back=back,
        on_way=on_way,
    )
