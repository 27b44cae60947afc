"""Places, backups, deployments and keys of the API in the admin."""

from __future__ import annotations

from django.contrib import admin

from lineage.admin.base import ReadOnlyAdmin
from lineage.models import ApiKey, Backup, Deployment, KeptAnswer, Location, SuppressionHit


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin):
    """Keys of the API: what they may do and when they were used; no secret is stored."""

    list_display = ("name", "prefix", "created_at", "expires_at", "last_used_at", "revoked_at")
    list_filter = (("revoked_at", admin.EmptyFieldListFilter),)
    search_fields = ("name", "prefix")
    exclude = ("digest",)


@admin.register(KeptAnswer)
class KeptAnswerAdmin(ReadOnlyAdmin):
    """Calls of the API that may be made again; what they were answered is not shown."""

    list_display = ("call", "status", "made_at")
    exclude = ("asked", "body")


@admin.register(Location)
class LocationAdmin(ReadOnlyAdmin):
    """Places where data of people lie; how they are reached stands on the page *Places*."""

    list_display = ("slug", "kind", "category", "retention_days", "active", "created_at")
    list_filter = ("kind", "active")
    search_fields = ("slug", "purpose")
    exclude = ("settings",)


@admin.register(Backup)
class BackupAdmin(ReadOnlyAdmin):
    """Backups and until when they last."""

    list_display = ("name", "made_at", "expires_at", "destroyed_at")
    list_filter = (("destroyed_at", admin.EmptyFieldListFilter),)
    search_fields = ("name",)
    date_hierarchy = "expires_at"


@admin.register(Deployment)
class DeploymentAdmin(ReadOnlyAdmin):
    """Where versions run; they are noted as gone on the page *Deployments*."""

    list_display = ("version", "place", "kind", "deployed_at", "switched_at", "withdrawn_at")
    list_filter = ("kind", ("withdrawn_at", admin.EmptyFieldListFilter))
    search_fields = ("id", "place", "model_name")
    list_select_related = ("version", "replaced_by")
    date_hierarchy = "deployed_at"


@admin.register(SuppressionHit)
class SuppressionHitAdmin(ReadOnlyAdmin):
    """How many people an import would have brought back, by day."""

    list_display = ("day", "people")
