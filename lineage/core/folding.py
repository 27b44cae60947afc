"""A graph made small enough to look at: what is alike is drawn as one, and the nearest is kept."""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import networkx as nx

from lineage.core.graph import outgoing, topological_order

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from lineage.core.graph import Edge

SHOWN = 200  # nodes that a person can still take in
MOST = 2_000  # nodes that are ever drawn at once
ALIKE = 3  # nodes with the same neighbours that become one
FAMILY, GROUP = "family:", "alike:"


@dataclass(frozen=True, kw_only=True)
class Item:
    """A node of the whole graph.

    * ``name``: what it is called outside, when it is drawn alone;
    * ``kind``: only nodes of one kind are folded together;
    * ``family``: those of one family are folded; empty for none;
    * ``alone``: it is never folded, and comes first where not all fit.
    """

    node: int
    name: str
    kind: str
    family: str = ""
    alone: bool = False


@dataclass(frozen=True, kw_only=True)
class Folded:
    """What could be drawn.

    * ``members``: by name of what is drawn, the nodes behind it;
    * ``edges``: by the names of their ends, the edges behind each;
    * ``opens``: of a folded node, what to open to see its members;
    * ``folds``: of an opened member, what to close to fold it again.
    """

    members: dict[str, tuple[int, ...]] = field(repr=False)
    edges: dict[tuple[str, str], tuple[Edge, ...]] = field(repr=False)
    opens: dict[str, str] = field(repr=False)
    folds: dict[str, str] = field(repr=False)


class Near(NamedTuple):
    """What is drawn of it: by name, how many edges from a centre, below 0 upwards."""

    distance: dict[str, int]
    left_out: tuple[str, ...]


def folded(
    items: Collection[Item], edges: Collection[Edge], *, opened: Collection[str] = ()
) -> Folded:
    """Fold families, then whatever has the same neighbours.

    Args:
        items: all nodes.
        edges: between them.
        opened: families and groups (``family:...``, ``alike:...``) that are not folded.
    """
    drawn = _untangled(_by_family(items, opened), edges)
    drawn, folds = _by_neighbours(items, _joined(edges, drawn), drawn, opened)
    members: dict[str, list[int]] = defaultdict(list)
    for item in sorted(items, key=lambda one: one.node):
        members[drawn[item.node]].append(item.node)
        if item.family and FAMILY + item.family in opened and not item.alone:
            folds[drawn[item.node]] = FAMILY + item.family
    return Folded(
        members={name: tuple(nodes) for name, nodes in members.items()},
        edges={ends: tuple(parts) for ends, parts in _joined(edges, drawn).items()},
        opens={name: _key(name) for name in members if name.startswith((FAMILY, GROUP))},
        folds=folds,
    )


def nearest(
    graph: Folded, centres: Collection[str], alone: Collection[str], *, shown: int = SHOWN
) -> Near:
    """Choose what is drawn: the nearest to the centres, each with a way to one of them.

    Args:
        graph: all that could be drawn.
        centres: names.
        alone: names that are drawn before any other, with what lies between, up to ``MOST``.
        shown: how many others there may be besides, in all not more than this.
    """
    parents, distance = _walked(graph.edges, sorted(centres))
    order = sorted(distance, key=lambda name: (abs(distance[name]), name))
    chosen: dict[str, None] = {}
    for name in order:
        if name in alone:
            way = [name]
            while (above := parents[way[-1]]) is not None:
                way.append(above)
            fresh = [one for one in way if one not in chosen]
            if len(chosen) + len(fresh) <= MOST:
                chosen |= dict.fromkeys(fresh)
    for name in order:
        if len(chosen) >= min(shown, MOST):
            break
        chosen[name] = None
    rest = [*(name for name in order if name not in chosen)]
    rest += sorted(graph.members.keys() - distance.keys())
    return Near({name: distance[name] for name in order if name in chosen}, tuple(rest))


def _walked(
    edges: Iterable[tuple[str, str]], centres: Sequence[str]
) -> tuple[dict[str, str | None], dict[str, int]]:
    """Walk down and up from the centres; each name has the one it was reached from."""
    down: dict[str, list[str]] = defaultdict(list)
    up: dict[str, list[str]] = defaultdict(list)
    for src, dst in sorted(edges):
        down[src].append(dst)
        up[dst].append(src)
    parents: dict[str, str | None] = dict.fromkeys(centres)
    distance = dict.fromkeys(centres, 0)
    for table, step in ((down, 1), (up, -1)):
        seen, waiting = set(centres), deque(centres)
        hops = dict.fromkeys(centres, 0)
        while waiting:
            name = waiting.popleft()
            for other in table.get(name, ()):
                if other in seen:
                    continue
                seen.add(other)
                waiting.append(other)
                hops[other] = hops[name] + step
                if other not in distance or abs(hops[other]) < abs(distance[other]):
                    parents[other], distance[other] = name, hops[other]
    return parents, distance


def _key(name: str) -> str:
    """Return what opens a folded node: of a generation of a family, the family."""
    return ":".join(name.split(":")[:2])


def _by_family(items: Iterable[Item], opened: Collection[str]) -> dict[int, str]:
    families: dict[str, list[int]] = defaultdict(list)
    drawn = {item.node: item.name for item in items}
    for item in items:
        if item.family and not item.alone and FAMILY + item.family not in opened:
            families[item.family].append(item.node)
    for family, nodes in families.items():
        if len(nodes) > 1:
            drawn |= dict.fromkeys(nodes, FAMILY + family)
    return drawn


def _untangled(drawn: dict[int, str], edges: Collection[Edge]) -> dict[int, str]:
    """Split families that lie on a cycle by generation, the longest way from any source.

    Within one strongly connected part every edge then leads to a later generation, but where the
    graph itself has a cycle. Families that tangle nothing stay whole.
    """
    tangled: set[str] = set()
    graph = nx.DiGraph((drawn[edge.src], drawn[edge.dst]) for edge in edges)
    for part in nx.strongly_connected_components(graph):
        tangled |= part if len(part) > 1 else set()
    split = {name for name in tangled if name.startswith(FAMILY)}
    if not split:
        return drawn
    age = _generations(edges)
    return {
        node: f"{name}:{age.get(node, 0)}" if name in split else name
        for node, name in drawn.items()
    }


def _generations(edges: Collection[Edge]) -> dict[int, int]:
    table = outgoing(edges)
    age: dict[int, int] = {}
    for node in topological_order([], edges):
        own = age.setdefault(node, 0)
        for edge in table.get(node, ()):
            age[edge.dst] = max(age.get(edge.dst, 0), own + 1)
    return age


def _by_neighbours(
    items: Iterable[Item],
    edges: Mapping[tuple[str, str], object],
    drawn: dict[int, str],
    opened: Collection[str],
) -> tuple[dict[int, str], dict[str, str]]:
    around: dict[str, tuple[set[str], set[str]]] = defaultdict(lambda: (set(), set()))
    for src, dst in edges:
        around[src][1].add(dst)
        around[dst][0].add(src)
    groups: dict[object, list[Item]] = defaultdict(list)
    for item in items:
        free = not item.alone and FAMILY + item.family not in opened
        if free and drawn[item.node] == item.name and item.name in around:
            above, below = around[item.name]
            groups[item.kind, frozenset(above), frozenset(below)].append(item)
    folded_to, folds = dict(drawn), dict[str, str]()
    for group in groups.values():
        if len(group) < ALIKE:
            continue
        name = GROUP + min(one.name for one in group)
        if name in opened:
            folds |= dict.fromkeys((one.name for one in group), name)
        else:
            folded_to |= dict.fromkeys((one.node for one in group), name)
    return folded_to, folds


def _joined(edges: Iterable[Edge], drawn: Mapping[int, str]) -> dict[tuple[str, str], list[Edge]]:
    found: dict[tuple[str, str], list[Edge]] = defaultdict(list)
    for edge in edges:
        if drawn[edge.src] != drawn[edge.dst]:
            found[drawn[edge.src], drawn[edge.dst]].append(edge)
    return found
