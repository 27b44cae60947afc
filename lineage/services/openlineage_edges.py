"""Derive what a run wrote from what it read, and judge what learned from what is barred."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lineage.models import (
    DatasetSnapshot,
    Influence,
    LineageEdge,
    ModelVersion,
    Run,
    RunInput,
    RunOutput,
)
from lineage.queries.nodes import nodes_of
from lineage.services.rejudging import judge_after, take_out
from lineage.services.run_closing import born_affected, weakest_guarantee

if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

_STRENGTH = {Influence.NONE: 0, Influence.INDIRECT: 1, Influence.DIRECT: 2}


def connect(run: Run, at: datetime) -> None:
    """Derive whatever a run wrote, and parts of it, from whatever it read.

    Of several uses of one node the strongest stands, whichever was told first.
    """
    for written in sorted(_written(run)):
        for used in run.inputs.exclude(node_id=written).order_by("node_id", "id"):
            drawn = [used.used_snapshot_id] if used.used_snapshot_id else []
            for source in (used.node_id, *nodes_of(drawn).values()):
                if source != written:
                    _derive(used, source, written, at)


def _written(run: Run) -> set[int]:
    """Return the nodes that a run wrote, with all that was selected from data among them.

    What a sampler drew from a snapshot is a node of its own, which must not be cleaner than it.
    """
    outputs = RunOutput.objects.filter(run=run)
    whole = set(outputs.values_list("node__object_id", flat=True))
    waiting = set(whole)
    while waiting:
        parts = DatasetSnapshot.objects.filter(parent__in=waiting).values_list("id", flat=True)
        waiting = set(parts) - whole
        whole |= waiting
    return set(nodes_of(whole).values())


def _derive(used: RunInput, source: int, node: int, at: datetime) -> None:
    edges = LineageEdge.objects.select_for_update()
    edge, created = edges.get_or_create(
        src_id=source,
        dst_id=node,
        defaults={
            "role": used.role,
            "influence": used.influence,
            "run_id": used.run_id,
            "valid_from": at,
        },
    )
    if not created:
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


def judge(run: Run, now: datetime) -> None:
    """Take versions out of use that learned from what is restricted or erased by now.

    Those of the run, and those that came from what it wrote, versions or data, by whatever way.
    """
    if weak := weakest_guarantee(run, ""):
        _made(run).update(guarantee=weak)
    made = list(_made(run))
    if born := born_affected(run) if made else None:
        for version in made:
            if version.kind != ModelVersion.Kind.SHADOW:
                take_out(version, *born, now)
                version.save(update_fields=["state", "invalidated_at", "metrics"])
    judge_after(nodes=_written(run), now=now)


def _made(run: Run) -> Any:  # noqa: ANN401  (a queryset)
    written = RunOutput.objects.filter(run=run).values("node__object_id")
    return ModelVersion.objects.filter(id__in=written)
