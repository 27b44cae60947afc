"""What may have learned from a space, asked in small steps, one table after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lineage.models import (
    Dataset,
    DatasetSnapshot,
    LineageNode,
    ModelVersion,
    NamedLocation,
    RecordMapBlock,
    Role,
    Run,
    RunInput,
    RunOutput,
)
from lineage.queries.edges import edges_below
from lineage.queries.nodes import nodes_of
from lineage.queries.possible import with_possible, written_outside
from lineage.queries.uncaptured import Uncaptured

if TYPE_CHECKING:
    import uuid
    from collections.abc import Collection, Mapping

    from lineage.core.graph import Edge
    from lineage.models import OrdinalSpace
    from lineage.queries.possible import Written

_SNAPSHOT = LineageNode.Kind.SNAPSHOT


def plainly_uncaptured(space: OrdinalSpace) -> Uncaptured:
    """Return what ``lineage.queries.uncaptured`` says of one space."""
    told = written_outside()
    starts = _written(_runs(space, told))
    edges = edges_below(starts)
    return Uncaptured(starts | _reached(starts, edges, told), set(edges))


def _below(nodes: set[int], told: Mapping[int, Written]) -> set[int]:
    """Return all that was derived from some nodes, or may have been."""
    return _reached(nodes, edges_below(nodes), told)


def _reached(nodes: set[int], edges: Collection[Edge], told: Mapping[int, Written]) -> set[int]:
    wide = with_possible(nodes | {edge.dst for edge in edges}, edges, told)
    return {edge.dst for edge in wide if edge.dst >= 0}


def _runs(space: OrdinalSpace, told: Mapping[int, Written]) -> set[uuid.UUID]:
    """Return the runs that may have read records of the space."""
    untold = Run.objects.filter(capture_level=Run.Capture.NONE)
    return set(untold.values_list("id", flat=True)) - _elsewhere(space, told)


def _elsewhere(space: OrdinalSpace, told: Mapping[int, Written]) -> set[uuid.UUID]:
    """Return runs of which it is known that they read other spaces only."""
    declared = RunInput.objects.filter(
        run__capture_level=Run.Capture.NONE, node__kind=LineageNode.Kind.SNAPSHOT
    ).exclude(role=Role.FORGET)
    runs = set(declared.values_list("run_id", flat=True))
    if not runs:
        return runs
    known = DatasetSnapshot.objects.filter(space__next_ordinal__gt=0).exclude(space=space)
    known = known.exclude(dataset__in=_derived_from(space, told))
    unclear = declared.exclude(node__object_id__in=known.values("id"))
    runs -= set(unclear.values_list("run_id", flat=True))
    if not runs:
        return runs
    unmatched = NamedLocation.objects.filter(matched=False)
    return runs - set(unmatched.values_list("event__run_id", flat=True).distinct())


def _derived_from(space: OrdinalSpace, told: Mapping[int, Written]) -> set[uuid.UUID]:
    """Return the data sets some state of which was derived from data of the space."""
    snapshots = DatasetSnapshot.objects.filter(space=space)
    below = _below(set(nodes_of(snapshots.values_list("id", flat=True)).values()), told)
    nodes = LineageNode.objects.in_bulk(below).values()
    objects = [node.object_id for node in nodes if node.kind == LineageNode.Kind.SNAPSHOT]
    derived = DatasetSnapshot.objects.in_bulk(objects).values()
    mapped, waiting = {space.id}, {space.id}
    while waiting:
        maps = RecordMapBlock.objects.filter(source_space__in=waiting)
        waiting = set(maps.values_list("derived_space_id", flat=True).distinct()) - mapped
        mapped |= waiting
    inside = Dataset.objects.filter(space__in=mapped).values_list("id", flat=True)
    return {snapshot.dataset_id for snapshot in derived} | set(inside)


def _written(runs: set[uuid.UUID]) -> set[int]:
    """Return the nodes that runs wrote; of data sets those of all their states."""
    outputs = RunOutput.objects.filter(run__capture_level=Run.Capture.NONE)
    told = outputs.values_list("run_id", "node_id", "node__kind", "node__object_id")
    written = [output for output in told if output[0] in runs]
    snapshots = [object_id for *_, kind, object_id in written if kind == _SNAPSHOT]
    versions = ModelVersion.objects.filter(generated_by__capture_level=Run.Capture.NONE)
    made = {pk for pk, run in versions.values_list("id", "generated_by_id") if run in runs}
    nodes = {node for _, node, *_ in written}
    return nodes | set(nodes_of(made).values()) | _other_states(snapshots)


def _other_states(snapshots: Collection[uuid.UUID]) -> set[int]:
    datasets = DatasetSnapshot.objects.in_bulk(snapshots).values()
    states = DatasetSnapshot.objects.filter(
        dataset__in={snapshot.dataset_id for snapshot in datasets}
    )
    return set(nodes_of(states.values_list("id", flat=True)).values())
