"""What the page of a model version shows: where it came from and what came from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Count, Q

from lineage.models import (
    Artefact,
    DatasetSnapshot,
    LineageEdge,
    LineageNode,
    ModelVersion,
    Role,
    Run,
)
from lineage.queries.nodes import shown

if TYPE_CHECKING:
    from django.db.models import QuerySet

_MODEL = ModelVersion.Kind.MODEL


@dataclass(frozen=True, kw_only=True)
class Source:
    """What the version's run read. ``snapshot`` is what the sampler drew, where it is known."""

    label: str
    role: str
    influence: str
    version: ModelVersion | None = None
    snapshot: DatasetSnapshot | None = None


@dataclass(frozen=True, kw_only=True)
class Derived:
    """A version that learned from this one."""

    version: ModelVersion
    role: str
    influence: str


@dataclass(frozen=True, kw_only=True)
class VersionFamily:
    """The neighbours of a version. ``shadows`` counts the audit's models derived from it."""

    sources: tuple[Source, ...]
    derived: tuple[Derived, ...]
    shadows: int


def listed_versions() -> QuerySet[ModelVersion]:
    """Return every version but shadow models, by model, the newest first."""
    living = Count("artefacts", filter=Q(artefacts__destroyed_at=None))
    versions = ModelVersion.objects.filter(kind=_MODEL).select_related("generated_by")
    return versions.annotate(files=living).order_by("model_name", "-version")


def family_of(version: ModelVersion) -> VersionFamily:
    """Return what a version was derived from, and what was derived from it."""
    derived, shadows = _derived(version)
    return VersionFamily(
        sources=sources_of(version.generated_by), derived=derived, shadows=shadows
    )


def sources_of(run: Run) -> tuple[Source, ...]:
    """Return what a run read, data first."""
    inputs = list(run.inputs.select_related("node", "used_snapshot__dataset").order_by("id"))
    table = shown(used.node_id for used in inputs)
    objects = [used.node.object_id for used in inputs]
    snapshots = DatasetSnapshot.objects.select_related("dataset").in_bulk(objects)
    found = [
        Source(
            label=table[used.node_id].label,
            role=Role(used.role).label,
            influence=used.get_influence_display(),
            version=table[used.node_id].version,
            snapshot=used.used_snapshot or snapshots.get(used.node.object_id),
        )
        for used in inputs
    ]
    return tuple(sorted(found, key=lambda source: source.version is not None))


def artefacts_of(version: ModelVersion) -> QuerySet[Artefact]:
    """Return the files of a version, destroyed ones too: their digests stay."""
    return version.artefacts.order_by("created_at", "kind")


def _derived(version: ModelVersion) -> tuple[tuple[Derived, ...], int]:
    node = LineageNode.objects.filter(object_id=version.pk).first()
    if node is None:
        return (), 0
    edges = list(LineageEdge.objects.filter(src=node).order_by("dst_id"))
    table = shown(edge.dst_id for edge in edges)
    children = [(edge, table[edge.dst_id].version) for edge in edges]
    models = tuple(
        Derived(version=child, role=Role(edge.role).label, influence=edge.get_influence_display())
        for edge, child in children
        if child and child.kind == _MODEL
    )
    return models, sum(1 for _, child in children if child and child.kind != _MODEL)
