"""Nodes of the graph and what stands behind them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lineage.models import DatasetSnapshot, LineageNode, ModelVersion

if TYPE_CHECKING:
    import uuid
    from collections.abc import Iterable


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A node with a name that people can read; ``version`` is None for a snapshot."""

    node: LineageNode
    label: str
    version: ModelVersion | None = None


def nodes_of(objects: Iterable[uuid.UUID]) -> dict[uuid.UUID, int]:
    """Return the node of each snapshot or version that has one."""
    found = LineageNode.objects.in_bulk(list(objects), field_name="object_id")
    return {object_id: node.id for object_id, node in found.items()}


def shown(nodes: Iterable[int]) -> dict[int, Shown]:
    """Return nodes with their labels, loading each kind at once."""
    found = LineageNode.objects.in_bulk(list(nodes))
    objects = [node.object_id for node in found.values()]
    versions = ModelVersion.objects.select_related("generated_by").in_bulk(objects)
    snapshots = DatasetSnapshot.objects.select_related("dataset").in_bulk(objects)
    return {
        pk: Shown(
            node=node,
            label=str(versions.get(node.object_id) or snapshots.get(node.object_id) or node),
            version=versions.get(node.object_id),
        )
        for pk, node in found.items()
    }
