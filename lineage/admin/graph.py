"""Data sets, runs, versions and files in the admin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import Count
from unfold.decorators import action

from lineage.admin.base import ReadOnlyAdmin
from lineage.models import (
    Artefact,
    Dataset,
    DatasetSnapshot,
    LineageNode,
    ModelVersion,
    OrdinalSpace,
    Procedure,
    Run,
    RunInput,
    RunOutput,
)

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse


@admin.register(Dataset)
class DatasetAdmin(ReadOnlyAdmin):
    """Data sets and how far they have come."""

    list_display = ("name", "namespace", "dataset_type", "records", "snapshot_count")
    list_filter = ("dataset_type", "namespace")
    search_fields = ("name", "namespace")
    list_select_related = ("space", "parent")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Dataset]:
        """Count the snapshots in the same query."""
        found: QuerySet[Dataset] = super().get_queryset(request)
        return found.annotate(snapshot_total=Count("snapshots"))

    @admin.display(description="Ordinals handed out", ordering="space__next_ordinal")
    def records(self, dataset: Dataset) -> int:
        """Number of records ever imported, erased ones included."""
        return dataset.space.next_ordinal

    @admin.display(description="Snapshots", ordering="snapshot_total")
    def snapshot_count(self, dataset: Any) -> int:  # noqa: ANN401  (with an annotation)
        """Number of snapshots taken."""
        return int(dataset.snapshot_total)


@admin.register(DatasetSnapshot)
class DatasetSnapshotAdmin(ReadOnlyAdmin):
    """Snapshots with their digests."""

    list_display = ("__str__", "record_count", "created_at", "short_digest", "external_version")
    list_filter = ("dataset", "created_at")
    search_fields = ("digest", "dataset__name", "external_version")
    list_select_related = (
        "dataset",
        "space",
        "parent__dataset",
        "base__dataset",
        "generated_by",
    )
    date_hierarchy = "created_at"

    @admin.display(description="Digest")
    def short_digest(self, snapshot: DatasetSnapshot) -> str:
        """The first digits of the Merkle root."""
        return snapshot.digest[:16]


@admin.register(Run)
class RunAdmin(ReadOnlyAdmin):
    """Runs, what they did and how their data is known."""

    list_display = (
        "__str__",
        "activity",
        "state",
        "capture_level",
        "recipe",
        "started_at",
        "seconds",
    )
    list_filter = ("activity", "state", "capture_level", "recipe")
    search_fields = ("id", "recipe", "procedure__name")
    list_select_related = ("procedure", "parent")
    date_hierarchy = "started_at"


@admin.register(ModelVersion)
class ModelVersionAdmin(ReadOnlyAdmin):
    """Model versions and whether they may be used."""

    list_display = ("__str__", "kind", "state", "guarantee", "revision_of", "generated_at")
    list_filter = ("state", "kind", "model_name", "guarantee")
    search_fields = ("id", "model_name")
    list_select_related = ("revision_of", "generated_by")
    date_hierarchy = "generated_at"
    actions_detail = ("open_version",)

    @action(description="Open the page of the version", url_path="open-version", icon="hub")  # type: ignore[untyped-decorator]  # unfold has no types
    def open_version(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Lead to what the version learned from and where it is used."""
        return self.lead_to(request, "lineage:version", object_id)


@admin.register(Artefact)
class ArtefactAdmin(ReadOnlyAdmin):
    """Stored files, the destroyed ones included."""

    list_display = ("__str__", "kind", "version", "size", "created_at", "destroyed_at")
    list_filter = ("kind", ("destroyed_at", admin.EmptyFieldListFilter))
    search_fields = ("sha256", "uri", "version__model_name")
    list_select_related = ("version",)


@admin.register(OrdinalSpace)
class OrdinalSpaceAdmin(ReadOnlyAdmin):
    """The counters of records; the records themselves are not browsed."""

    list_display = ("name", "public_id", "next_ordinal", "next_seq")
    search_fields = ("name", "public_id")


@admin.register(Procedure)
class ProcedureAdmin(ReadOnlyAdmin):
    """What runs are runs of."""

    list_display = ("name", "namespace")
    list_filter = ("namespace",)
    search_fields = ("name", "namespace")


@admin.register(LineageNode)
class LineageNodeAdmin(ReadOnlyAdmin):
    """What edges connect: an object of another table by its kind and id."""

    list_display = ("__str__", "kind", "object_id")
    list_filter = ("kind",)
    search_fields = ("object_id",)


@admin.register(RunInput)
class RunInputAdmin(ReadOnlyAdmin):
    """What runs read, and how far it reached what they wrote."""

    list_display = ("run", "node", "role", "influence", "masking", "used_snapshot")
    list_filter = ("role", "influence", "masking")
    search_fields = ("run__id",)
    list_select_related = ("run", "node", "used_snapshot__dataset")


@admin.register(RunOutput)
class RunOutputAdmin(ReadOnlyAdmin):
    """What runs wrote. Append-only."""

    list_display = ("run", "node")
    search_fields = ("run__id",)
    list_select_related = ("run", "node")
