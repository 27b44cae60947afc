"""From records to every model version that learned from them, directly or through others."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from django.db.models import Q
from pyroaring import BitMap

from lineage.core.influence import way_to, ways
from lineage.models import Influence, LineageNode, ModelVersion
from lineage.queries.edges import FOR_EVER
from lineage.queries.nodes import Shown, shown
from lineage.queries.possible import possibly_reached
from lineage.queries.reach import Reach, reached
from lineage.queries.traces import strongest_into
from lineage.queries.uncaptured import uncaptured_versions

if TYPE_CHECKING:
    import uuid
    from collections.abc import Iterator, Mapping, Sequence, Set
    from datetime import datetime

    from django.db.models import QuerySet

    from lineage.core.graph import Edge
    from lineage.models import OrdinalSpace


TRACE = "TRACE"
ERASED = "data from which a hard purge has erased the records"


@dataclass(frozen=True, kw_only=True)
class Step:
    """One edge of a path: what was read, for what, and how it acts on what came out.

    With the role TRACE it stands for the way to a node on which records of a hard purge are noted
    to act: no bit says any more where they were.
    """

    source: str
    role: str
    influence: str


@dataclass(frozen=True, kw_only=True)
class AffectedVersion:
    """A version that learned from some of the records.

    * ``forget``: those of the records that act on it, through its own and its ancestors' data;
    * ``direct``: some of them are in data that its own run read;
    * ``influence``: DIRECT if some path has only direct edges, else INDIRECT;
    * ``path``: a shortest way from a snapshot, or from where a hard purge left its trace, to the
      version, of ``depth`` edges.
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
    * ``unknown``: possibly affected, since what they read was not captured, or since somebody
      outside wrote it and it may be data of ours;
    * ``not_affected``: all others.

    The last two are looked up when they are asked for: they can be the whole registry.
    """

    versions: tuple[AffectedVersion, ...]
    space: OrdinalSpace = field(repr=False)
    asked: BitMap = field(repr=False)
    listed: QuerySet[ModelVersion] = field(repr=False)
    reach: Reach | None = field(repr=False)

    @cached_property
    def unknown(self) -> tuple[ModelVersion, ...]:
        """Versions that may have learned from the records, as it is known today."""
        possible = self._possible - self._sure
        return tuple(version for version in self.listed if version.id in possible)

    @cached_property
    def not_affected(self) -> tuple[ModelVersion, ...]:
        """Versions of which it is known that they did not learn from the records."""
        others = self._possible | self._sure
        return tuple(version for version in self.listed if version.id not in others)

    @cached_property
    def _possible(self) -> set[uuid.UUID]:
        if not self.asked:  # there is nothing that a version could have learned
            return set()
        nodes = possibly_reached(self.reach or reached(self.space, self.asked))
        objects = LineageNode.objects.in_bulk(nodes).values()
        return uncaptured_versions(self.space) | {node.object_id for node in objects}

    @property
    def _sure(self) -> set[uuid.UUID]:
        return {hit.version.id for hit in self.versions}


def affected(
    space: OrdinalSpace,
    ordinals: BitMap,
    *,
    include_shadows: bool = False,
    as_of: datetime = FOR_EVER,
    besides: uuid.UUID | None = None,
) -> Closure:
    """Return which model versions learned from some records, as it was known at a time.

    Destroyed versions are not listed, but what was derived from them is, and so is the version
    ``besides`` in any case. A run with a FORGET
    input removed those records: they do not act on its output, nor on what was derived from it
    (whether that removal succeeded is for the audit to say).

    Raises:
        ChunkAltered, TileAltered: stored membership is not what was written.
    """
    reach = reached(space, ordinals, as_of=as_of)
    return Closure(
        versions=_affected(reach, include_shadows=include_shadows, as_of=as_of, besides=besides),
        space=space,
        asked=ordinals,
        listed=listed_versions(include_shadows=include_shadows, as_of=as_of, besides=besides),
        reach=reach if as_of == FOR_EVER else None,
    )


def listed_versions(
    *, include_shadows: bool, as_of: datetime = FOR_EVER, besides: uuid.UUID | None = None
) -> QuerySet[ModelVersion]:
    """Return the versions that there were at a time, the oldest first.

    ``besides``: one that is listed although it is destroyed or a shadow model.
    """
    there = ~Q(state=ModelVersion.State.DESTROYED) | Q(invalidated_at__gt=as_of)
    if not include_shadows:
        there &= ~Q(kind=ModelVersion.Kind.SHADOW)
    if besides is not None:
        there |= Q(id=besides)
    versions = ModelVersion.objects.filter(there, generated_at__lte=as_of)
    return versions.select_related("generated_by").order_by(
        "generated_at", "model_name", "version"
    )


def _affected(
    reach: Reach, *, include_shadows: bool, as_of: datetime, besides: uuid.UUID | None
) -> tuple[AffectedVersion, ...]:
    table = shown(reach.acting)
    plain = [e for e in reach.edges if e.passes or e.influence == Influence.DIRECT]
    noted = reach.arrived.keys() - reach.removed.keys()
    traced = strongest_into(noted, as_of=as_of) if noted else {}
    weak = {node for node, influence in traced.items() if influence != Influence.DIRECT}
    came = {node: hits for node, hits in reach.arrived.items() if node not in weak}
    trail = _Trail(
        shown=table,
        ways=ways(reach.edges, reach.held, reach.cuts, reach.arrived),
        purely_direct=set().union(*ways(plain, reach.held, reach.cuts, came)),
        traced=traced,
        own={
            edge.dst
            for edge in reach.edges
            if not edge.passes
            and reach.held.get(edge.src, BitMap()).intersect(reach.acting[edge.dst])
        },
    )
    return tuple(
        trail.version(node, version, hits)
        for node, hits in reach.acting.items()  # in topological order
        if hits
        and (version := table[node].version)
        and (
            version.id == besides
            or (_there(version, as_of) and (include_shadows or not _is_shadow(version)))
        )
    )


def _is_shadow(version: ModelVersion) -> bool:
    return version.kind == ModelVersion.Kind.SHADOW


def _there(version: ModelVersion, as_of: datetime) -> bool:
    if version.generated_at > as_of:
        return False
    if version.state != ModelVersion.State.DESTROYED:
        return True
    return version.invalidated_at is not None and version.invalidated_at > as_of


@dataclass(frozen=True, kw_only=True)
class _Trail:
    """How the records came to each node."""

    shown: Mapping[int, Shown]
    ways: Sequence[Mapping[int, Edge | None]]
    purely_direct: Set[int]
    traced: Mapping[int, str]
    own: Set[int]

    def version(self, node: int, version: ModelVersion, hits: BitMap) -> AffectedVersion:
        path = min((way_to(way, node) for way in self.ways if node in way), key=len)
        return AffectedVersion(
            version=version,
            forget=hits,
            direct=node in self.own,
            influence=Influence.DIRECT if node in self.purely_direct else Influence.INDIRECT,
            path=(
                *self._trace(path[0].src if path else node),
                *(
                    Step(source=self.shown[at.src].label, role=at.role, influence=at.influence)
                    for at in path
                ),
            ),
        )

    def _trace(self, start: int) -> Iterator[Step]:
        if start in self.traced:
            yield Step(source=ERASED, role=TRACE, influence=self.traced[start])
