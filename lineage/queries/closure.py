"""From records to every model version that learned from them, directly or through others."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pyroaring import BitMap

from lineage.core.bitmaps import union
from lineage.core.graph import Edge, path_to
from lineage.core.influence import carried, ways
from lineage.models import DatasetSnapshot, Influence, ModelVersion, Role, RunInput
from lineage.queries.edges import edges_below
from lineage.queries.membership import snapshots_holding
from lineage.queries.nodes import Shown, nodes_of, shown
from lineage.queries.uncaptured import uncaptured_versions

if TYPE_CHECKING:
    import uuid
    from collections.abc import Mapping, Sequence, Set

    from django.db.models import QuerySet

    from lineage.models import OrdinalSpace


@dataclass(frozen=True, kw_only=True)
class Step:
    """One edge of a path: what was read, for what, and how it acts on what came out."""

    source: str
    role: str
    influence: str


@dataclass(frozen=True, kw_only=True)
class AffectedVersion:
    """A version that learned from some of the records.

    * ``forget``: those of the records that act on it, through its own and its ancestors' data;
    * ``direct``: some of them are in data that its own run read;
    * ``influence``: DIRECT if some path has only direct edges, else INDIRECT;
    * ``path``: a shortest way from a snapshot to the version, of ``depth`` edges.
    """

    version: ModelVersion
    forget: BitMap = field(repr=False)
    direct: bool
    influence: str
    path: tuple[Step, ...]

    @property
    def depth(self) -> int:
        """Number of edges between the records and the version."""
        return len(self.path)


@dataclass(frozen=True, kw_only=True)
class Closure:
    """The whole answer, never cut short.

    * ``versions``: certainly affected, each after all that it was derived from;
    * ``unknown``: possibly affected, since what they read was not captured;
    * ``not_affected``: all others.
    """

    versions: tuple[AffectedVersion, ...]
    unknown: tuple[ModelVersion, ...]
    not_affected: tuple[ModelVersion, ...]


def affected(space: OrdinalSpace, ordinals: BitMap, *, include_shadows: bool = False) -> Closure:
    """Return which model versions learned from some records.

    Destroyed versions are not listed, but what was derived from them is. A run with a FORGET
    input removed those records: they do not act on its output, nor on what was derived from it
    (whether that removal succeeded is for the audit to say).

    Raises:
        ChunkAltered: a membership chunk is not what was written.
        LineageHasCycle: the graph is damaged.
    """
    found = _affected(space, snapshots_holding(space, ordinals))
    possible = uncaptured_versions(space)
    listed = {version.id: version for version in _listed(include_shadows=include_shadows)}
    rest = listed.keys() - {hit.version.id for hit in found}
    return Closure(
        versions=tuple(hit for hit in found if hit.version.id in listed),
        unknown=tuple(v for v in listed.values() if v.id in rest & possible),
        not_affected=tuple(v for v in listed.values() if v.id in rest - possible),
    )


def _listed(*, include_shadows: bool) -> QuerySet[ModelVersion]:
    versions = ModelVersion.objects.exclude(state=ModelVersion.State.DESTROYED)
    if not include_shadows:
        versions = versions.filter(kind=ModelVersion.Kind.MODEL)
    return versions.select_related("generated_by").order_by(
        "generated_at", "model_name", "version"
    )


def _affected(space: OrdinalSpace, holding: Mapping[uuid.UUID, BitMap]) -> list[AffectedVersion]:
    held = {node: holding[snapshot] for snapshot, node in nodes_of(holding).items()}
    edges = edges_below(held)
    table = shown({edge.dst for edge in edges} | held.keys())
    cuts = _forgotten(space, table, holding)
    acting = carried(edges, held, cuts)
    plain = [edge for edge in edges if edge.influence == Influence.DIRECT]
    trail = _Trail(
        shown=table,
        ways=ways(edges, held, cuts),
        purely_direct=set().union(*ways(plain, held, cuts)),
        own={e.dst for e in edges if held.get(e.src, BitMap()).intersect(acting[e.dst])},
    )
    return [
        trail.version(node, version, hits)
        for node, hits in acting.items()  # in topological order
        if hits and (version := table[node].version)
    ]


@dataclass(frozen=True, kw_only=True)
class _Trail:
    """How the records came to each node."""

    shown: Mapping[int, Shown]
    ways: Sequence[Mapping[int, Edge | None]]
    purely_direct: Set[int]
    own: Set[int]

    def version(self, node: int, version: ModelVersion, hits: BitMap) -> AffectedVersion:
        path = min((path_to(way, node) for way in self.ways if node in way), key=len)
        return AffectedVersion(
            version=version,
            forget=hits,
            direct=node in self.own,
            influence=Influence.DIRECT if node in self.purely_direct else Influence.INDIRECT,
            path=tuple(
                Step(source=self.shown[edge.src].label, role=edge.role, influence=edge.influence)
                for edge in path
            ),
        )


def _forgotten(
    space: OrdinalSpace, table: Mapping[int, Shown], holding: Mapping[uuid.UUID, BitMap]
) -> dict[int, BitMap]:
    """Return what the run behind each version removed on purpose."""
    inputs = RunInput.objects.filter(
        role=Role.FORGET,
        node__object_id__in=DatasetSnapshot.objects.filter(space=space).values("id"),
    )
    removed: dict[uuid.UUID, BitMap] = {}
    for run, snapshot in inputs.values_list("run_id", "node__object_id"):
        removed[run] = union([removed.get(run, BitMap()), holding.get(snapshot, BitMap())])
    return {
        node: removed[shown.version.generated_by_id]
        for node, shown in table.items()
        if shown.version and shown.version.generated_by_id in removed
    }
