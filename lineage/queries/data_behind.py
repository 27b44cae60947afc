"""The data that some snapshots were derived from, without going through any model.

What a model passes on is for its own state to say: it was audited, withdrawn or rebuilt.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from pyroaring import BitMap

from lineage.core.bitmaps import merged, union
from lineage.core.graph import Edge, descendants
from lineage.core.influence import carried
from lineage.models import DatasetSnapshot, LineageNode, OrdinalSpace, RecordMapBlock
from lineage.queries.edges import edges_above
from lineage.queries.membership import nodes_holding
from lineage.queries.nodes import nodes_of
from lineage.queries.reach import cuts_of
from lineage.queries.traces import traced

if TYPE_CHECKING:
    import uuid
    from collections.abc import Iterable, Mapping


class Held(NamedTuple):
    """Of some records, by node, those that are there and what purges say: see ``Traces``."""

    members: dict[int, BitMap]
    arrived: dict[int, BitMap]
    removed: dict[int, BitMap]


@dataclass(frozen=True, kw_only=True)
class DataBehind:
    """Nodes of the snapshots that were read and of all data that they came from.

    * ``edges``: between them;
    * ``writers``: models that wrote some of it.
    """

    read: frozenset[int]
    data: frozenset[int]
    edges: tuple[Edge, ...] = field(repr=False)
    writers: frozenset[int]


def data_behind(snapshots: Iterable[uuid.UUID]) -> DataBehind:
    """Return the data that some snapshots were derived from, themselves included."""
    read = frozenset(nodes_of(snapshots).values())
    every = edges_above(read) if read else []
    models = set(
        LineageNode.objects.filter(
            id__in={edge.src for edge in every}, kind=LineageNode.Kind.MODEL
        ).values_list("id", flat=True)
    )
    upwards = [
        Edge(edge.dst, edge.src, edge.role, edge.influence)
        for edge in every
        if edge.src not in models
    ]
    data = descendants(upwards, read) - models
    into = [edge for edge in every if edge.dst in data]
    return DataBehind(
        read=read,
        data=frozenset(data),
        edges=tuple(edge for edge in into if edge.src in data),
        writers=frozenset(edge.src for edge in into if edge.src in models),
    )


def spaces_behind(behind: DataBehind) -> set[OrdinalSpace]:
    """Return the spaces of the data, and those from which a map leads into them."""
    objects = LineageNode.objects.filter(id__in=behind.data).values("object_id")
    found = DatasetSnapshot.objects.filter(id__in=objects).values_list("space_id", flat=True)
    spaces: set[int] = set()
    waiting = set(found)
    while waiting:
        spaces |= waiting
        maps = RecordMapBlock.objects.filter(derived_space__in=waiting)
        waiting = set(maps.values_list("source_space_id", flat=True).distinct()) - spaces
    return set(OrdinalSpace.objects.filter(id__in=spaces))


def held_in(records: Mapping[OrdinalSpace, BitMap]) -> list[Held]:
    """Return, for each space of some records, which of them the data holds."""
    return [
        Held(nodes_holding(space, ordinals), *traced(space, ordinals))
        for space, ordinals in records.items()
        if ordinals
    ]


def acts_on(behind: DataBehind, holding: Held, node: int, *, removed: Iterable[int]) -> BitMap:
    """Return which of the records act on a snapshot.

    Args:
        behind: the data that it came from.
        holding: which snapshots hold some of the records.
        node: of the snapshot.
        removed: nodes of what its reader removed on purpose; what it holds itself stays.
    """
    held, came = (
        {one: hits for one, hits in part.items() if one in behind.data}
        for part in (holding.members, merged(holding.arrived, holding.removed))
    )
    known = merged(holding.members, holding.removed)
    flow = carried(behind.edges, held, cuts_of(known, behind.edges), came)
    gone = union(known[one] for one in removed if one in known)
    return (flow.acting.get(node, BitMap()) - gone) | held.get(node, BitMap())
