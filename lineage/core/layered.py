"""Where to draw the nodes of a graph: in layers, each edge to a later one, with few crossings.

The method of Sugiyama, Tagawa and Toda (1981): layers by the longest path, order within them by
barycentres. Rows come from isotonic regression, which moves nodes as little as possible from where
their neighbours want them while no two come closer than one row.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

WAYPOINTS = 1_000  # at most; edges beyond run straight, the long ones first
_ORDERINGS = 8
_SETTLINGS = 4


class Place(NamedTuple):
    """A column, counted from the left, and a row from the top; both start at 0."""

    layer: int
    row: float


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Where everything lies.

    * ``places``: of each node; those of one layer are at least one row apart;
    * ``ways``: of edges that pass over layers, where they do;
    * ``turned``: edges on a cycle that lead back; every other leads to a later layer.
    """

    places: dict[str, Place] = field(repr=False)
    ways: dict[tuple[str, str], tuple[Place, ...]] = field(repr=False)
    turned: frozenset[tuple[str, str]]


def layered(nodes: Iterable[str], edges: Iterable[tuple[str, str]]) -> Layout:
    """Lay out a graph; the same one always alike, in whatever order it is given.

    Raises:
        KeyError: an edge has an end that is not among the nodes.
    """
    names = sorted(set(nodes))
    number = {name: at for at, name in enumerate(names)}
    pairs = sorted({(number[src], number[dst]) for src, dst in edges if src != dst})
    turned = _turned(len(names), pairs)
    down = [(dst, src) if (src, dst) in turned else (src, dst) for src, dst in pairs]
    layers = _layers(len(names), down)
    hops, ways = _hops(down, layers)
    rows = _rows(layers, hops)
    places = [Place(layer, row) for layer, row in zip(layers, rows, strict=True)]
    return Layout(
        places={name: places[at] for name, at in number.items()},
        ways={
            (names[src], names[dst]): tuple(places[at] for at in points)
            for (src, dst), points in ways.items()
        },
        turned=frozenset((names[src], names[dst]) for src, dst in turned),
    )


def _turned(count: int, edges: Sequence[tuple[int, int]]) -> set[tuple[int, int]]:
    """Return the edges that lead back in a walk in depth, which are on every cycle."""
    out = _neighbours(edges)
    turned: set[tuple[int, int]] = set()
    state = [0] * count  # 0: not seen, 1: on the way, 2: done
    started = {dst for _, dst in edges}
    for root in (*(at for at in range(count) if at not in started), *sorted(started)):
        if state[root]:
            continue
        state[root] = 1
        walk = [(root, iter(out.get(root, ())))]
        while walk:
            node, rest = walk[-1]
            follower = next(rest, None)
            if follower is None:
                state[node] = 2
                walk.pop()
            elif state[follower] == 1:
                turned.add((node, follower))
            elif not state[follower]:
                state[follower] = 1
                walk.append((follower, iter(out.get(follower, ()))))
    return turned


def _layers(count: int, edges: Collection[tuple[int, int]]) -> list[int]:
    """Return the longest way to each node; one without a source stands beside its reader."""
    out = _neighbours(edges)
    missing = [0] * count
    for _, dst in edges:
        missing[dst] += 1
    sources = [at for at in range(count) if not missing[at]]
    layers, ready = [0] * count, list(sources)
    for node in ready:  # grows meanwhile
        for follower in out.get(node, ()):
            layers[follower] = max(layers[follower], layers[node] + 1)
            missing[follower] -= 1
            if not missing[follower]:
                ready.append(follower)
    for node in sources:
        if node in out:
            layers[node] = min(layers[follower] for follower in out[node]) - 1
    return layers


def _hops(
    edges: Iterable[tuple[int, int]], layers: list[int]
) -> tuple[list[tuple[int, int]], dict[tuple[int, int], list[int]]]:
    """Cut edges over several layers into hops, and append the points between to ``layers``."""
    left, ways = WAYPOINTS, dict[tuple[int, int], list[int]]()
    hops: list[tuple[int, int]] = []
    for src, dst in sorted(edges, key=lambda edge: (layers[edge[1]] - layers[edge[0]], edge)):
        between = layers[dst] - layers[src] - 1
        if between > left:
            between = 0
        left -= between
        points = list(range(len(layers), len(layers) + between))
        layers.extend(layers[src] + at for at in range(1, between + 1))
        hops += zip([src, *points], [*points, dst], strict=True)
        if points:
            ways[src, dst] = points
    return hops, ways


def _rows(layers: Sequence[int], hops: Sequence[tuple[int, int]]) -> list[float]:
    into = _neighbours((dst, src) for src, dst in hops)
    out = _neighbours(hops)
    columns: dict[int, list[int]] = defaultdict(list)
    for node, layer in enumerate(layers):
        columns[layer].append(node)
    row = [0.0] * len(layers)
    for column in columns.values():
        _spread(column, row)
    ways = [columns[layer] for layer in sorted(columns)]
    for sweep in range(_ORDERINGS):
        beside = out if sweep % 2 else into
        for column in ways[:: -1 if sweep % 2 else 1]:
            wish = _wishes(column, beside, row)
            column.sort(key=wish.__getitem__)
            _spread(column, row)
    for sweep in range(_SETTLINGS):
        beside = out if sweep % 2 else into
        for column in ways[:: -1 if sweep % 2 else 1]:
            wish = _wishes(column, beside, row)
            for node, at in zip(column, _apart([wish[node] for node in column]), strict=True):
                row[node] = at
    top = min(row, default=0.0)
    return [at - top for at in row]


def _spread(column: Sequence[int], row: list[float]) -> None:
    middle = (len(column) - 1) / 2
    for at, node in enumerate(column):
        row[node] = at - middle


def _wishes(
    column: Iterable[int], beside: Mapping[int, Sequence[int]], row: Sequence[float]
) -> dict[int, float]:
    """Return where each node lies best: at the mean of its neighbours, if it has any."""
    wish = {}
    for node in column:
        near = beside.get(node)
        wish[node] = sum([row[one] for one in near]) / len(near) if near else row[node]
    return wish


def _apart(wishes: Sequence[float]) -> list[float]:
    """Return the rows nearest to the wishes, in squares, each one at least after the one before.

    Pool adjacent violators (Barlow et al., 1972) on the wishes less their place in the order.
    """
    blocks: list[tuple[float, int]] = []  # sum and number of wishes that share one answer
    for at, wish in enumerate(wishes):
        total, count = wish - at, 1
        while blocks and blocks[-1][0] * count >= total * blocks[-1][1]:
            before, members = blocks.pop()
            total, count = total + before, count + members
        blocks.append((total, count))
    found: list[float] = []
    for total, count in blocks:
        first = len(found)
        found += [total / count + at for at in range(first, first + count)]
    return found


def _neighbours(edges: Iterable[tuple[int, int]]) -> dict[int, list[int]]:
    table: dict[int, list[int]] = defaultdict(list)
    for src, dst in edges:
        table[src].append(dst)
    return dict(table)
