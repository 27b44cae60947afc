"""The ways on which records came to model versions, as nodes and edges with their places.

Drawn from the findings of a sealed case, which name a shortest way to each version. Every version
has a row of its own, so that a line along a row crosses nothing.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import networkx as nx

from audits.execution.report_models import treated_versions
from audits.queries.ends import End
from unlearning.services.runs import DESTROY, EXACT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

MOST = 26  # sources and versions that are drawn one by one, with an end beside each version
FAMILIES = 4  # data sets that are told apart where there are more nodes than that
OTHERS = "\x00"  # stands for all further data sets
_ROOT = "\x01"


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One run: its method and its verdict, empty where there is none."""

    method: str
    verdict: str


@dataclass(frozen=True, kw_only=True)
class Way:
    """A version, the edges that the records took to it, and what became of it.

    ``count`` is 1, or how many versions this stands for, which then have no name.
    """

    name: str
    steps: tuple[tuple[str, str, str], ...]  # source, role, influence
    runs: tuple[Attempt, ...]
    end: End
    records: int = 0
    became: str = ""
    until: str = ""
    count: int = 1

    @property
    def family(self) -> str:
        """Return the data set from whose snapshots the way starts."""
        return self.steps[0][0].rpartition("@")[0] or self.steps[0][0] if self.steps else ""


@dataclass(kw_only=True)
class Place:
    """A box of the picture: its column, counted from the left, and its row from the top."""

    name: str
    column: int
    row: float
    role: str = ""
    way: Way | None = None


@dataclass(kw_only=True)
class Layout:
    """Boxes by their keys, and edges as (key, key, influence)."""

    places: dict[str, Place] = field(default_factory=dict)
    edges: list[tuple[str, str, str]] = field(default_factory=list)
    grouped: bool = False

    @property
    def columns(self) -> int:
        """Return how many columns the boxes take."""
        return 1 + max((one.column for one in self.places.values()), default=0)

    @property
    def rows(self) -> int:
        """Return how many rows they take."""
        return 1 + int(max((one.row for one in self.places.values()), default=-1) + 0.999)


def ways_of(findings: Mapping[str, Any]) -> list[Way]:
    """Return one way for each affected version, in the order of the plan."""
    with_runs = treated_versions({"runs": findings["runs"]})
    runs = {one.final["version"]: one for one in with_runs}
    ends = {row["version"]: row for row in findings.get("ends", ())}
    made = {run["unlearned"]: run["unlearned_name"] for run in findings["runs"]}
    made |= {
        run["stood_in"]["version"]: run["stood_in"]["name"]
        for run in findings["runs"]
        if run.get("stood_in")
    }
    found: dict[str, Way] = {}
    for row in findings["plan"].get("affected", ()):
        version = row["version"]
        treated, end = runs.get(version), ends.get(version)
        tried = treated.runs if treated else ()
        became = end["became"] if end else tried[-1]["unlearned"] if tried else None
        earlier = found.get(version)
        found[version] = Way(
            name=str(row.get("name", version)),
            steps=(earlier.steps if earlier else ()) or _steps(row),
            records=row.get("forget_count", 0) + (earlier.records if earlier else 0),
            runs=tuple(Attempt(method=one["method"], verdict=one["verdict"]) for one in tried),
            end=End(end["end"]) if end else _end(tried),
            became=made.get(became, "") if became else "",
            until=(end["until"] or "") if end else "",
        )
    return list(found.values())


def _steps(row: Mapping[str, Any]) -> tuple[tuple[str, str, str], ...]:
    return tuple(
        (str(step["source"]), str(step["role"]), str(step["influence"]))
        for step in row.get("path", ())
    )


def _end(tried: Sequence[Mapping[str, Any]]) -> End:
    """Return what became of a version by its last run: older records hold no ends."""
    last = tried[-1] if tried else None
    if last is None or not last["verdict"]:
        return End.OPEN
    if last["method"] == DESTROY:
        return End.DESTROYED
    if not last["unlearned"]:
        return End.OPEN
    return End.RETRAINED if last["guarantee"] == EXACT else End.UNLEARNED


def arranged(ways: Sequence[Way]) -> Layout:
    """Return where each box stands; ways are put together where there are too many."""
    sources = {step[0] for way in ways for step in way.steps} - {way.name for way in ways}
    grouped = len(sources) + len(ways) > MOST
    layout = Layout(grouped=grouped)
    graph = _graph(by_family(ways) if grouped else ways, layout)
    _columns(graph, layout)
    _rows(graph, layout)
    return layout


def by_family(ways: Iterable[Way]) -> list[Way]:
    """Return one way for each data set and end; beyond the largest data sets, one for the rest."""
    ways = list(ways)
    sizes = Counter(way.family for way in ways)
    named = {name for name, _ in sizes.most_common(FAMILIES)}
    groups: dict[tuple[str, End], list[Way]] = {}
    for way in ways:
        family = way.family if way.family in named else OTHERS
        groups.setdefault((family, way.end), []).append(way)
    order = sorted(groups, key=lambda key: (-sizes[key[0]], key))
    return [_group(family, end, groups[family, end]) for family, end in order]


def _group(family: str, end: End, ways: Sequence[Way]) -> Way:
    direct = all(step[2] == "DIRECT" for way in ways for step in way.steps)
    runs = [run for way in ways for run in way.runs[-1:]]
    return Way(
        name=f"{family}\n{end}",
        steps=((family, "", "DIRECT" if direct else "INDIRECT"),),
        runs=tuple(sorted(runs, key=lambda one: (one.method, one.verdict))),
        end=end,
        count=len(ways),
    )


def _graph(ways: Sequence[Way], layout: Layout) -> nx.DiGraph[str]:
    graph: nx.DiGraph[str] = nx.DiGraph()
    for way in ways:
        path = [*(step[0] for step in way.steps), way.name]
        for (source, role, influence), target in zip(way.steps, path[1:], strict=True):
            for name in (source, target):
                layout.places.setdefault(name, Place(name=name, column=0, row=0.0))
            if not graph.has_edge(source, target) and not _leads(graph, target, source):
                graph.add_edge(source, target)
                layout.edges.append((source, target, influence))
                layout.places[target].role = role
        place = layout.places.setdefault(way.name, Place(name=way.name, column=0, row=0.0))
        place.way = way
        graph.add_node(way.name)
    return graph


def _leads(graph: nx.DiGraph[str], start: str, end: str) -> bool:
    """Return whether an edge from ``end`` to ``start`` would close a circle."""
    return start == end or (start in graph and end in graph and nx.has_path(graph, start, end))


def _columns(graph: nx.DiGraph[str], layout: Layout) -> None:
    """Put each box right of all that lead to it; no version stands among the first sources."""
    for name in nx.topological_sort(graph):
        before = [layout.places[one].column for one in graph.predecessors(name)]
        first = 1 if layout.places[name].way else 0
        layout.places[name].column = max([first, *(one + 1 for one in before)])


def _rows(graph: nx.DiGraph[str], layout: Layout) -> None:
    """Give each box a row in the order of the ways; the first sources stand beside theirs."""
    places = layout.places
    order = list(dict.fromkeys(nx.dfs_preorder_nodes(_rooted(graph, layout), source=_ROOT)))
    inner = [name for name in order if name != _ROOT and places[name].column]
    for row, name in enumerate(inner):
        places[name].row = float(row)
    outer = [name for name in order if name != _ROOT and not places[name].column]
    wanted = {name: _mean(places[one].row for one in graph.successors(name)) for name in outer}
    last = -1.0
    for name in sorted(outer, key=lambda one: (wanted[one], order.index(one))):
        last = places[name].row = max(wanted[name], last + 1.0)


def _rooted(graph: nx.DiGraph[str], layout: Layout) -> nx.DiGraph[str]:
    """Return the graph with a root, in the order in which its boxes were named."""
    rooted: nx.DiGraph[str] = nx.DiGraph()
    rooted.add_node(_ROOT)
    rooted.add_edges_from((_ROOT, one) for one in layout.places if not graph.in_degree(one))
    rooted.add_edges_from((source, target) for source, target, _ in layout.edges)
    return rooted


def _mean(values: Iterable[float]) -> float:
    found = list(values)
    return sum(found) / len(found) if found else 0.0
