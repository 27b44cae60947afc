"""Derive what a run outside wrote, in every state that it may be, from what it read."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

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
from lineage.queries.told import TOLD_STATE

if TYPE_CHECKING:
    import uuid
    from collections.abc import Iterable, Mapping, Set
    from datetime import datetime
    from typing import Any

    from lineage.core.graph import Ends

_STRENGTH: dict[str, int] = {Influence.NONE: 0, Influence.INDIRECT: 1, Influence.DIRECT: 2}


def connect(run: Run, at: datetime) -> set[int]:
    """Derive whatever a run wrote, and parts of it, from whatever it read.

    Of several uses of one node the strongest stands, whichever was told first.

    Returns:
        What was derived: see ``written_by``.
    """
    written = written_by(run)
    _derive(_uses([run], {run.id: at}), written)
    return written


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
    """Derive a state that was told from what was read by those who wrote one that it may be.

    Told before or after, the graph is the same. A snapshot of ours is derived from what was read
    here, and never from what somebody outside says. Call it under the lock of the space.
    """
    this = State(snapshot.external_version, snapshot.digest)
    if not this.told:
        return
    others = DatasetSnapshot.objects.filter(dataset=snapshot.dataset_id).exclude(id=snapshot.id)
    named = others.values_list("id", "external_version", "digest")
    alike = [pk for pk, text, digest in named if may_be(State(text, digest), this)]
    written = RunOutput.objects.filter(node__in=nodes_of(alike).values())
    runs = list(Run.objects.filter(id__in=written.values("run_id"), state=Run.State.COMPLETE))
    _derive(_uses(runs, _completed(runs)), {node.id})


def _may_be_any(written: Set[uuid.UUID]) -> set[uuid.UUID]:
    """Return all told states of the data sets that may be one of some states.

    Of our own snapshots it is not known: see ``lineage.queries.possible``.
    """
    columns = ("dataset_id", "id", "external_version", "digest")
    found = DatasetSnapshot.objects.filter(id__in=written).values_list(*columns)
    told = [(dataset, State(*called)) for dataset, _, *called in found]
    states = DatasetSnapshot.objects.filter(TOLD_STATE, dataset__in={one for one, _ in told})
    return {
        pk
        for dataset, pk, *called in states.values_list(*columns)
        if any(of == dataset and may_be(one, State(*called)) for of, one in told)
    }


def _completed(runs: Iterable[Run]) -> dict[uuid.UUID, datetime]:
    """Return when runs ended: as the first event says that tells it, or as it was seen here."""
    ended = {run.id: run.ended_at or run.started_at for run in runs}
    ends = ReceivedEvent.objects.filter(run_id__in=ended, event_type="COMPLETE")
    first = ends.order_by().values_list("run_id").annotate(first=Min("event_time"))
    return ended | dict(first)


class _Use(NamedTuple):
    """That a run read a node: ``node`` as it named it, ``source`` what it really drew."""

    node: int
    source: int
    role: str
    influence: str
    run: uuid.UUID
    at: datetime

    def joined(self, other: _Use) -> _Use:
        """Return the stronger of two uses of one source, from the earlier of the two."""
        strong = max(self, other, key=lambda use: (_STRENGTH[use.influence], use.role))
        early = min(self, other, key=lambda use: (use.at, use.run))
        return strong._replace(run=early.run, at=early.at)


def _uses(runs: Iterable[Run], ended: Mapping[uuid.UUID, datetime]) -> list[_Use]:
    columns = ("node_id", "role", "influence", "run_id", "used_snapshot_id")
    read = list(RunInput.objects.filter(run__in=runs).values_list(*columns))
    drawn = nodes_of(snapshot for *_, snapshot in read if snapshot)
    return [
        _Use(node, source, role, influence, run, ended[run])
        for node, role, influence, run, snapshot in read
        for source in [node, *([drawn[snapshot]] if snapshot else [])]
    ]


def _derive(uses: Iterable[_Use], written: Set[int]) -> None:
    wanted: dict[Ends, _Use] = {}
    for use in uses:
        for node in written - {use.node, use.source}:
            ends = (use.source, node)
            wanted[ends] = use.joined(wanted[ends]) if ends in wanted else use
    edges = LineageEdge.objects.filter(src__in={src for src, _ in wanted}, dst__in=written)
    columns = ("src_id", "dst_id", "role", "influence", "run_id", "valid_from")
    known = {
        (src, dst): _Use(src, src, *rest)
        for src, dst, *rest in edges.select_for_update().values_list(*columns)
    }
    LineageEdge.objects.bulk_create(
        [_edge(ends, wanted[ends]) for ends in sorted(wanted.keys() - known.keys())],
        batch_size=2_000,
        ignore_conflicts=True,  # two imports of one thing at once say the same
    )
    for ends in sorted(wanted.keys() & known.keys()):
        _strengthen(ends, known[ends], wanted[ends])


def _edge(ends: Ends, use: _Use) -> LineageEdge:
    return LineageEdge(
        src_id=ends[0],
        dst_id=ends[1],
        role=use.role,
        influence=use.influence,
        run_id=use.run,
        valid_from=use.at,
    )


def _strengthen(ends: Ends, before: _Use, told: _Use) -> None:
    """Take over what is stronger or earlier; the trigger of the table refuses anything else."""
    change: dict[str, Any] = {}
    if (_STRENGTH[told.influence], told.role) > (_STRENGTH[before.influence], before.role):
        change |= {"influence": told.influence, "role": told.role}
    if told.at < before.at:
        change |= {"valid_from": told.at, "run_id": told.run}
    if change:
        LineageEdge.objects.filter(src_id=ends[0], dst_id=ends[1]).update(**change)
