"""What the page of a model version shows: where it came from and what came from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Count, Q

from lineage.models import (
    Artefact,
    DatasetSnapshot,
    LineageEdge,
    ModelVersion,
    Role,
    Run,
)

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
    training: bool = False


@dataclass(frozen=True, kw_only=True)
class Derived:
    """A version that learned from this one."""

    version: ModelVersion
    role: str
    influence: str


@dataclass(frozen=True, kw_only=True)
class VersionFamily:
    """The neighbours of a version.

    ``shadows`` counts the models of audits derived from it, ``shadow_seconds`` adds up how long
    those were trained.
    """

    sources: tuple[Source, ...]
    derived: tuple[Derived, ...]
    shadows: int
    shadow_seconds: float


def listed_versions() -> QuerySet[ModelVersion]:
    """Return every version but shadow models, by model, the newest first."""
    living = Count("artefacts", filter=Q(artefacts__destroyed_at=None))
    versions = ModelVersion.objects.filter(kind=_MODEL).select_related("generated_by")
    return versions.annotate(files=living).order_by("model_name", "-version")


def family_of(version: ModelVersion) -> VersionFamily:
    """Return what a version was derived from, and what was derived from it."""
    derived, shadows, spent = _derived(version)
    return VersionFamily(
        sources=sources_of(version.generated_by),
        derived=derived,
        shadows=shadows,
        shadow_seconds=spent,
    )


def sources_of(run: Run) -> tuple[Source, ...]:
    """Return what a run read, data first."""
    drawn = "used_snapshot__dataset", "used_snapshot__space"
    inputs = list(run.inputs.select_related("node", *drawn).order_by("id"))
    objects = [used.node.object_id for used in inputs]
    snapshots = DatasetSnapshot.objects.select_related("dataset", "space").in_bulk(objects)
    versions = ModelVersion.objects.in_bulk([one for one in objects if one not in snapshots])
    read = {**snapshots, **versions}
    found = [
        Source(
            label=str(read.get(used.node.object_id) or used.node),
            role=Role(used.role).label,
            influence=used.get_influence_display(),
            version=versions.get(used.node.object_id),
            training=used.role == Role.TRAINING,
            snapshot=used.used_snapshot or snapshots.get(used.node.object_id),
        )
        for used in inputs
    ]
    return tuple(sorted(found, key=lambda source: source.version is not None))


def artefacts_of(version: ModelVersion) -> QuerySet[Artefact]:
    """Return the files of a version, destroyed ones too: their digests stay."""
    return version.artefacts.order_by("created_at", "kind")


def _derived(version: ModelVersion) -> tuple[tuple[Derived, ...], int, float]:
    edges = list(
        LineageEdge.objects.filter(src__object_id=version.pk)
        .select_related("dst")
        .order_by("dst_id")
    )
    objects = [edge.dst.object_id for edge in edges]
    versions = ModelVersion.objects.select_related("generated_by").in_bulk(objects)
    children = [(edge, versions.get(edge.dst.object_id)) for edge in edges]
    models = tuple(
        Derived(version=child, role=Role(edge.role).label, influence=edge.get_influence_display())
        for edge, child in children
        if child and child.kind == _MODEL
    )
    shadows = [child for _, child in children if child and child.kind == ModelVersion.Kind.SHADOW]
    spent = sum(child.generated_by.seconds or 0.0 for child in shadows)
    others = sum(1 for _, child in children if child and child.kind != _MODEL)
    return models, others, spent
