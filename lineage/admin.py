"""What staff see of the lineage in the admin: everything to read, nothing to change.

Rows here are written by services only; a change by hand would bypass locks, logs and triggers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import Count
from unfold.admin import ModelAdmin

from lineage.models import (
    Artefact,
    Dataset,
    DatasetSnapshot,
    DataSubject,
    Job,
    ModelVersion,
    Run,
)
from lineage.queries.readers import may_read

if TYPE_CHECKING:
    from django.db.models import Model, QuerySet
    from django.http import HttpRequest


class ReadOnlyAdmin(ModelAdmin):  # type: ignore[misc]  # unfold has no types
    """Lists and shows rows; adds, changes and deletes none."""

    list_per_page = 50
    show_full_result_count = False

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Show the app to whoever may read cases."""
        return may_read(request.user)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:  # noqa: ARG002  (Django's signature)
        """Show rows to whoever may read cases."""
        return may_read(request.user)

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002  (Django's signature)
        """Nobody adds rows here."""
        return False

    def has_change_permission(
        self,
        request: HttpRequest,  # noqa: ARG002  (Django's signature)
        obj: Model | None = None,  # noqa: ARG002  (Django's signature)
    ) -> bool:
        """Nobody changes rows here."""
        return False

    def has_delete_permission(
        self,
        request: HttpRequest,  # noqa: ARG002  (Django's signature)
        obj: Model | None = None,  # noqa: ARG002  (Django's signature)
    ) -> bool:
        """Nobody deletes rows here."""
        return False


@admin.register(Dataset)
class DatasetAdmin(ReadOnlyAdmin):
    """Data sets and how far they have come."""

    list_display = ("name", "namespace", "dataset_type", "records", "snapshot_count")
    list_filter = ("dataset_type", "namespace")
    search_fields = ("name", "namespace")
    list_select_related = ("space",)

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
    list_select_related = ("dataset",)
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
    list_select_related = ("procedure",)
    date_hierarchy = "started_at"


@admin.register(ModelVersion)
class ModelVersionAdmin(ReadOnlyAdmin):
    """Model versions and whether they may be used."""

    list_display = ("__str__", "kind", "state", "guarantee", "revision_of", "generated_at")
    list_filter = ("state", "kind", "model_name", "guarantee")
    search_fields = ("id", "model_name")
    list_select_related = ("revision_of",)
    date_hierarchy = "generated_at"


@admin.register(Artefact)
class ArtefactAdmin(ReadOnlyAdmin):
    """Stored files, the destroyed ones included."""

    list_display = ("__str__", "kind", "version", "size", "created_at", "destroyed_at")
    list_filter = ("kind", ("destroyed_at", admin.EmptyFieldListFilter))
    search_fields = ("sha256", "uri", "version__model_name")
    list_select_related = ("version",)


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin):
    """Pieces of work and who holds them."""

    list_display = (
        "kind",
        "status",
        "queue",
        "phase",
        "progress",
        "attempt",
        "created_at",
        "ended_at",
    )
    list_filter = ("status", "queue", "kind")
    search_fields = ("id", "key", "payload_id", "error_code")
    date_hierarchy = "created_at"

    @admin.display(description="Progress")
    def progress(self, job: Job) -> str:
        """How much is done, in the job's own units."""
        return f"{job.done:,} / {job.total:,}" if job.total else ""


@admin.register(DataSubject)
class DataSubjectAdmin(ReadOnlyAdmin):
    """People by pseudonym; identifiers are not stored, so none can be shown."""

    list_display = ("pseudonym", "created_at", "erased_at")
    list_filter = (("erased_at", admin.EmptyFieldListFilter),)
    search_fields = ("pseudonym",)
    date_hierarchy = "created_at"
