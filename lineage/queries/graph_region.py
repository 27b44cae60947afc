"""The part of the graph around a version, a data set or a person's records, at a time."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from lineage.core.graph import Edge, arrivals, path_to
from lineage.core.influence import way_to, ways
from lineage.models import DatasetSnapshot, Influence, Role
from lineage.queries.derivation import with_derived
from lineage.queries.edges import ABOVE, BELOW, FOR_EVER, as_objects, walked, with_objects
from lineage.queries.nodes import nodes_of
from lineage.queries.possible import possibly_reached, written_outside
from lineage.queries.reach import reached_together
from lineage.queries.subjects import records_of
from lineage.queries.uncaptured import Uncaptured, uncaptured

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from datetime import datetime

    from lineage.models import Dataset, DataSubject, ModelVersion, OrdinalSpace
    from lineage.queries.reach import Reach

_ANY = ""  # no edge has this influence, so none is left out
_NODE = "SELECT id AS node FROM lineage_lineagenode WHERE object_id IN ({objects})"
_STATES = """
SELECT n.id AS node FROM lineage_datasetsnapshot s
JOIN lineage_lineagenode n ON n.object_id = s.id WHERE s.dataset_id IN ({objects})
"""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What the picture is about: a version, or else a data set, or else a person's records.

    With a version and one of the others it is about the version, and the way from that to it.
    """

    version: ModelVersion | None = None
    dataset: Dataset | None = None
    person: DataSubject | None = None
    as_of: datetime = FOR_EVER

    @property
    def anything(self) -> bool:
        """Whether there is something to draw."""
        return bool(self.version or self.dataset or self.person)


@dataclass(frozen=True, kw_only=True)
class Region:
    """Nodes and edges, by small integer.

    * ``touched``: how many of the person's records act on a node;
    * ``possible``: what may have learned from them or hold them, as far as is recorded;
    * ``way``: edges of a shortest way, first edge first; None if there is none or none was asked;
    * ``records``: how many the person has, with what was derived from them; None without a person.
    """

    centres: frozenset[int]
    edges: frozenset[Edge] = field(repr=False)
    touched: dict[int, int] = field(default_factory=dict, repr=False)
    possible: frozenset[int] = field(default=frozenset(), repr=False)
    way: tuple[Edge, ...] | None = None
    records: int | None = None

    @property
    def nodes(self) -> set[int]:
        """Every node, with or without edges."""
        ends = {end for edge in self.edges for end in (edge.src, edge.dst)}
        return ends | self.centres | self.possible


def region_of(asked: Asked) -> Region:
    """Return everything around what was asked for, folded and cut to size by nobody yet.

    Raises:
        ChunkAltered, TileAltered: stored membership is not what was written.
    """
    records = with_derived(records_of(asked.person)) if asked.person else {}
    some = {space: held for space, held in records.items() if held}
    reaches = list(reached_together(some, as_of=asked.as_of).values())
    touched: Counter[int] = Counter()
    for reach in reaches:
        touched.update({node: len(hits) for node, hits in reach.acting.items() if hits})
    count = sum(len(held) for held in records.values()) if asked.person else None
    if asked.version or asked.dataset:
        around = _around(asked, reaches, touched=dict(touched), records=count)
        maybe = _possible(records, reaches).nodes & around.nodes
        return replace(around, possible=frozenset(maybe - touched.keys()))
    held = frozenset(node for reach in reaches for node in (*reach.held, *reach.arrived))
    below = {edge for reach in reaches for edge in reach.edges}
    drawn = held | {end for edge in below for end in (edge.src, edge.dst)}
    possible = _possible(records, reaches)
    drawn |= possible.nodes
    between = {edge for edge in possible.edges if edge.src in drawn and edge.dst in drawn}
    return Region(
        centres=held,
        edges=frozenset(below | between),
        touched=dict(touched),
        possible=frozenset(possible.nodes - touched.keys()),
        records=count,
    )


def _around(
    asked: Asked, reaches: Iterable[Reach], *, touched: dict[int, int], records: int | None
) -> Region:
    start, about = (_NODE, asked.version) if asked.version else (_STATES, asked.dataset)
    values = [as_objects([about.pk] if about else [])]
    centres, edges = walked(
        with_objects(start), values, ABOVE, BELOW, without=_ANY, as_of=asked.as_of
    )
    own = centres if asked.dataset else frozenset[int]()
    if asked.version and asked.dataset:
        own = _nodes_of_dataset(asked.dataset)
    way = min(_ways(centres, edges, own, reaches), key=len, default=None)
    return Region(
        centres=centres,
        edges=edges,
        touched=touched,
        way=way if asked.version else None,
        records=records,
    )


def _nodes_of_dataset(dataset: Dataset) -> frozenset[int]:
    snapshots = DatasetSnapshot.objects.filter(dataset=dataset)
    return frozenset(nodes_of(snapshots.values_list("id", flat=True)).values())


def _possible(records: Collection[OrdinalSpace], reaches: Collection[Reach]) -> Uncaptured:
    """Return what may have learned from the records, and what is recorded between."""
    written = written_outside() if reaches or records else {}
    reached_so: set[int] = set()
    for reach in reaches:
        reached_so |= possibly_reached(reach, written)
    part = uncaptured(records, written)
    return Uncaptured(reached_so | part.nodes, part.edges)


def _ways(
    targets: Iterable[int],
    edges: Iterable[Edge],
    sources: Collection[int],
    reaches: Iterable[Reach],
) -> Iterator[tuple[Edge, ...]]:
    """Yield a shortest way to the version for each group of records, and one from the data."""
    for target in targets:
        for reach in reaches:
            for way in ways(reach.edges, reach.held, reach.cuts, reach.arrived):
                if target in way:
                    yield way_to(way, target)
        acting = [e for e in edges if e.influence != Influence.NONE or e.role == Role.SOURCE_DATA]
        from_data = arrivals(acting, sources)
        if sources and target in from_data:
            yield path_to(from_data, target)
