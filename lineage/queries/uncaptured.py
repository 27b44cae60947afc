"""Versions of which nobody recorded what they were trained on, and all derived from them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lineage.models import DatasetSnapshot, LineageNode, ModelVersion, Role, Run, RunInput
from lineage.queries.edges import edges_below
from lineage.queries.nodes import nodes_of

if TYPE_CHECKING:
    import uuid

    from lineage.models import OrdinalSpace


def uncaptured_versions(space: OrdinalSpace) -> set[uuid.UUID]:
    """Return the versions that may have learned from any record of a space.

    A run whose membership was not captured counts when it declared a snapshot of the space, or
    no snapshot at all. Recall comes first: what was derived from such a version counts too.
    """
    starts = _starts(space)
    edges = edges_below(nodes_of(starts).values())
    below = LineageNode.objects.in_bulk({edge.dst for edge in edges})
    return starts | {node.object_id for node in below.values() if _is_model(node)}


def _is_model(node: LineageNode) -> bool:
    return node.kind == LineageNode.Kind.MODEL


def _starts(space: OrdinalSpace) -> set[uuid.UUID]:
    declared = RunInput.objects.filter(
        run__capture_level=Run.Capture.NONE, node__kind=LineageNode.Kind.SNAPSHOT
    ).exclude(role=Role.FORGET)
    here = DatasetSnapshot.objects.filter(space=space).values("id")
    elsewhere = set(declared.values_list("run_id", flat=True)) - set(
        declared.filter(node__object_id__in=here).values_list("run_id", flat=True)
    )
    versions = ModelVersion.objects.filter(generated_by__capture_level=Run.Capture.NONE)
    return {
        version
        for version, run in versions.values_list("id", "generated_by_id")
        if run not in elsewhere
    }
