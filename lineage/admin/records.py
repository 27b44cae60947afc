"""People, imports, jobs and purges in the admin.

No identifier of a person and no digest of one is shown, and nothing is searched by them.
"""

from __future__ import annotations

from django.contrib import admin

from lineage.admin.base import ReadOnlyAdmin
from lineage.models import (
    CaptureReport,
    DataSubject,
    ErasureViewOpening,
    Job,
    LabelConflict,
    LineagePurge,
    ManifestImport,
    PausedQueue,
    PurgePermit,
    PurgeTrace,
    ReceivedEvent,
    Restriction,
    SnapshotSupersession,
    SubjectIdentifier,
)


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


@admin.register(PausedQueue)
class PausedQueueAdmin(ReadOnlyAdmin):
    """Queues from which no job is claimed; they are resumed on the page *Work*."""

    list_display = ("queue", "paused_at", "paused_by")
    search_fields = ("queue",)
    list_select_related = ("paused_by",)


@admin.register(DataSubject)
class DataSubjectAdmin(ReadOnlyAdmin):
    """People by pseudonym; identifiers are not stored, so none can be shown."""

    list_display = ("pseudonym", "created_at", "erased_at")
    list_filter = (("erased_at", admin.EmptyFieldListFilter),)
    search_fields = ("pseudonym",)
    date_hierarchy = "created_at"


@admin.register(SubjectIdentifier)
class SubjectIdentifierAdmin(ReadOnlyAdmin):
    """That a person is known by a kind of identifier; which one is a keyed digest, not shown."""

    list_display = ("subject", "kind")
    list_filter = ("kind",)
    search_fields = ("subject__pseudonym",)
    list_select_related = ("subject",)
    exclude = ("digest",)


@admin.register(ManifestImport)
class ManifestImportAdmin(ReadOnlyAdmin):
    """Imports of files and how far they came."""

    list_display = ("dataset", "imported", "repeated", "rejected", "started_at", "finished_at")
    list_filter = ("dataset", ("finished_at", admin.EmptyFieldListFilter))
    search_fields = ("manifest_sha256", "dataset__name")
    list_select_related = ("dataset",)
    date_hierarchy = "started_at"


@admin.register(ReceivedEvent)
class ReceivedEventAdmin(ReadOnlyAdmin):
    """OpenLineage events that were taken in; their bodies may name anybody and are not shown."""

    list_display = ("__str__", "event_type", "run_id", "event_time", "received_at")
    list_filter = ("event_type",)
    search_fields = ("sha256", "run_id")
    date_hierarchy = "received_at"
    exclude = ("body",)


@admin.register(CaptureReport)
class CaptureReportAdmin(ReadOnlyAdmin):
    """Trainings outside that tell which records they used."""

    list_display = ("run", "owner", "rank", "ranks", "heard_at")
    search_fields = ("run__id", "owner")
    list_select_related = ("run",)


@admin.register(LabelConflict)
class LabelConflictAdmin(ReadOnlyAdmin):
    """Records that are alike under two labels; they are settled on the page *Data*."""

    list_display = ("space", "ordinal", "other_ordinal", "distance", "state", "found_at")
    list_filter = ("state", "space")
    list_select_related = ("space",)
    date_hierarchy = "found_at"


@admin.register(Restriction)
class RestrictionAdmin(ReadOnlyAdmin):
    """Restrictions of Art. 18, by case."""

    list_display = ("case_id", "space", "started_at", "lifted_at")
    list_filter = (("lifted_at", admin.EmptyFieldListFilter), "space")
    search_fields = ("case_id",)
    list_select_related = ("space",)


@admin.register(ErasureViewOpening)
class ErasureViewOpeningAdmin(ReadOnlyAdmin):
    """When restricted records were read for an erasure."""

    list_display = ("run_id", "purpose", "space", "record_count", "opened_at")
    list_filter = ("purpose", "space")
    search_fields = ("run_id",)
    list_select_related = ("space",)


@admin.register(LineagePurge)
class LineagePurgeAdmin(ReadOnlyAdmin):
    """Erasures from the lineage, by case."""

    list_display = ("case_id", "space", "mode", "purged_at")
    list_filter = ("mode", "space")
    search_fields = ("case_id",)
    list_select_related = ("space",)
    date_hierarchy = "purged_at"


@admin.register(PurgePermit)
class PurgePermitAdmin(ReadOnlyAdmin):
    """Permits to rewrite bits; outside a purge there is none."""

    list_display = ("purge",)
    list_select_related = ("purge",)


@admin.register(PurgeTrace)
class PurgeTraceAdmin(ReadOnlyAdmin):
    """What a hard purge left behind, by object."""

    list_display = ("purge", "node")
    search_fields = ("purge__case_id",)
    list_select_related = ("purge", "node")


@admin.register(SnapshotSupersession)
class SnapshotSupersessionAdmin(ReadOnlyAdmin):
    """Digests of snapshots that a hard purge replaced. Append-only."""

    list_display = ("snapshot", "purge", "previous_digest", "digest", "superseded_at")
    search_fields = ("previous_digest", "digest", "purge__case_id")
    list_select_related = ("snapshot__dataset", "purge")
