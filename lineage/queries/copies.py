"""The same weights in another form: exports and quantised copies of a version, and theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lineage.models import LineageEdge, LineageNode, ModelVersion, Run

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

COPYING = (Run.Activity.EXPORT, Run.Activity.QUANTISE)


def copies_of(version: ModelVersion) -> list[ModelVersion]:
    """Return what was exported or quantised from a version, in whatever number of steps."""
    found: set[UUID] = set()
    edge: Iterable[UUID] = [version.pk]
    while fresh := set(_copied(edge)) - found - {version.pk}:
        found |= fresh
        edge = fresh
    return list(ModelVersion.objects.filter(pk__in=found).order_by("model_name", "version"))


def _copied(ids: Iterable[UUID]) -> Iterable[UUID]:
    edges = LineageEdge.objects.filter(
        src__object_id__in=ids,
        run__activity__in=COPYING,
        dst__kind=LineageNode.Kind.MODEL,
    )
    return edges.values_list("dst__object_id", flat=True)
