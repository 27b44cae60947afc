"""Derive what a run outside wrote, in every state that it may be, from what it read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Min

from lineage.core.told_states import State, may_be
from lineage.models import (
    DatasetSnapshot,
    Influence,
    LineageEdge,
    LineageNode,
    ReceivedEvent,
    Run,
    RunInput,
    RunOutput,
)
from lineage.queries.nodes import nodes_of

if TYPE_CHECKING:
    import uuid
    from collections.abc import Iterable, Set
    from datetime import datetime
    from typing import Any

_STRENGTH = {Influence.NONE: 0, Influence.INDIRECT: 1, Influence.DIRECT: 2}


def connect(run: Run, at: datetime) -> None:
    """Derive whatever a run wrote, and parts of it, from whatever it read.

    Of several uses of one node the strongest stands, whichever was told first.
    """
    _derive_all(run, written_by(run), at)


def written_by(run: Run) -> set[int]:
    """Return the nodes that a run wrote, or may have, with all that was selected from them.

    What a sampler drew from a snapshot is a node of its own, which must not be cleaner than it.
    """
    outputs = RunOutput.objects.filter(run=run)
    whole = set(outputs.values_list("node__object_id", flat=True))
    whole |= _may_be_any(whole)
    waiting = set(whole)
    while waiting:
        parts = DatasetSnapshot.objects.filter(parent__in=waiting).values_list("id", flat=True)
        waiting = set(parts) - whole
        whole |= waiting
    return set(nodes_of(whole).values())


def derive_new_state(snapshot: DatasetSnapshot, node: LineageNode) -> None:
    """Derive a new snapshot from what was read by those who wrote a state that it may be.

    Told before or after, the graph is the same. Call it under the lock of the space.
    """
    if not ReceivedEvent.objects.exists():
        return  # all states are ours
    this = State(snapshot.external_version, snapshot.digest)
    others = DatasetSnapshot.objects.filter(dataset=snapshot.dataset_id).exclude(id=snapshot.id)
    if not this.told:
        others = others.exclude(external_version="")
    named = others.values_list("id", "external_version", "digest")
    alike = [pk for pk, *called in named if may_be(State(*called), this)]
    written = RunOutput.objects.filter(node__in=nodes_of(alike).values())
    for run in Run.objects.filter(id__in=written.values("run_id")).order_by("id"):
        if at := _completed(run):
            _derive_all(run, {node.id}, at)


def _may_be_any(written: Set[uuid.UUID]) -> set[uuid.UUID]:
    """Return all states of the data sets that may be one of some states."""
    columns = ("dataset_id", "id", "external_version", "digest")
    found = DatasetSnapshot.objects.filter(id__in=written).values_list(*columns)
    told = [(dataset, State(*called)) for dataset, _, *called in found]
    states = DatasetSnapshot.objects.filter(dataset__in={dataset for dataset, _ in told})
    return {
        pk
        for dataset, pk, *called in states.values_list(*columns)
        if any(of == dataset and may_be(one, State(*called)) for of, one in told)
    }


def _completed(run: Run) -> datetime | None:
    ends = ReceivedEvent.objects.filter(run_id=run.id, event_type="COMPLETE")
    first: datetime | None = ends.aggregate(first=Min("event_time"))["first"]
    return first or run.ended_at


def _derive_all(run: Run, written: Set[int], at: datetime) -> None:
    for used in run.inputs.order_by("node_id", "id"):
        drawn = [used.used_snapshot_id] if used.used_snapshot_id else []
        for source in (used.node_id, *nodes_of(drawn).values()):
            _derive(used, source, written - {used.node_id, source}, at)


def _derive(used: RunInput, source: int, written: Iterable[int], at: datetime) -> None:
    edges = LineageEdge.objects.filter(src_id=source, dst_id__in=written)
    known = set(edges.values_list("dst_id", flat=True))
    LineageEdge.objects.bulk_create(
        (
            LineageEdge(
                src_id=source,
                dst_id=node,
                role=used.role,
                influence=used.influence,
                run_id=used.run_id,
                valid_from=at,
            )
            for node in sorted(set(written) - known)
        ),
        ignore_conflicts=True,
    )
    for edge in edges.select_for_update().order_by("dst_id"):
        _strengthen(edge, used, at)


def _strengthen(edge: LineageEdge, used: RunInput, at: datetime) -> None:
    """Take over what is stronger or earlier; the trigger of the table refuses anything else."""
    now_told = (_STRENGTH[Influence(used.influence)], used.role)
    before = (_STRENGTH[Influence(edge.influence)], edge.role)
    change: dict[str, Any] = {}
    if now_told > before:
        change |= {"influence": used.influence, "role": used.role}
    if at < edge.valid_from:
        change |= {"valid_from": at, "run_id": used.run_id}
    if change:
        LineageEdge.objects.filter(src_id=edge.src_id, dst_id=edge.dst_id).update(**change)
