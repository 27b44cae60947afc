"""Unlearning runs in the admin: to read, since only services write them."""

from __future__ import annotations

from django.contrib import admin

from lineage.admin import ReadOnlyAdmin
from unlearning.models import (
    Canaries,
    HistoryFile,
    HistorySlice,
    SpentCanaries,
    TrainingHistory,
    TrainingPrivacy,
    Tuning,
    TuningTrial,
    UnlearningRun,
)


@admin.register(UnlearningRun)
class UnlearningRunAdmin(ReadOnlyAdmin):
    """What was done to which version, and how it was judged."""

    list_display = (
        "__str__",
        "status",
        "guarantee",
        "forget_count",
        "seconds",
        "escalated_from",
        "created_at",
    )
    list_filter = ("status", "method", "guarantee")
    search_fields = ("id", "target__model_name", "error_code")
    list_select_related = (
        *("target", "base", "space", "tuning", "unlearned", "interim"),
        "escalated_from__target",
    )
    date_hierarchy = "created_at"
    # Which records are in a forget set is nothing to browse.
    exclude = ("forget_bitmap",)


@admin.register(Tuning)
class TuningAdmin(ReadOnlyAdmin):
    """What was searched for which recipe, and what was found."""

    list_display = ("__str__", "state", "trials_wanted", "frozen_at", "created_at")
    list_filter = ("state", "method")
    search_fields = ("id", "recipe", "recipe_digest", "digest")
    list_select_related = ("snapshot__dataset",)
    exclude = ("view", "forget")
    date_hierarchy = "created_at"


@admin.register(TuningTrial)
class TuningTrialAdmin(ReadOnlyAdmin):
    """What a search tried and what came of it."""

    list_display = ("tuning", "number", "share", "ended_at")
    search_fields = ("tuning__id", "tuning__recipe")
    list_select_related = ("tuning",)


@admin.register(TrainingHistory)
class TrainingHistoryAdmin(ReadOnlyAdmin):
    """States that were kept of trainings, so that they can be replayed."""

    list_display = ("name", "version", "shard", "space", "created_at")
    list_filter = ("space",)
    search_fields = ("name", "version__model_name")
    list_select_related = ("version", "space", "job")
    date_hierarchy = "created_at"


@admin.register(TrainingPrivacy)
class TrainingPrivacyAdmin(ReadOnlyAdmin):
    """What trainings promised about every person. Append-only."""

    list_display = ("version", "epsilon", "delta", "accountant", "people", "created_at")
    list_filter = ("accountant",)
    search_fields = ("version__model_name",)
    list_select_related = ("version",)


@admin.register(HistorySlice)
class HistorySliceAdmin(ReadOnlyAdmin):
    """Slices of a shard, by the step from which they were seen."""

    list_display = ("history", "number", "bound")
    search_fields = ("history__name",)
    list_select_related = ("history",)


@admin.register(HistoryFile)
class HistoryFileAdmin(ReadOnlyAdmin):
    """Files of the kept states."""

    list_display = ("history", "key", "artefact")
    search_fields = ("history__name", "artefact__sha256")
    list_select_related = ("history", "artefact")


@admin.register(Canaries)
class CanariesAdmin(ReadOnlyAdmin):
    """Canaries that were drawn for a training."""

    list_display = ("version", "planting", "number", "units", "digest")
    search_fields = ("version__model_name", "digest")
    list_select_related = ("version",)


@admin.register(SpentCanaries)
class SpentCanariesAdmin(ReadOnlyAdmin):
    """Which of them an unlearning run erased."""

    list_display = ("run", "planting", "first", "last")
    search_fields = ("run__id",)
    list_select_related = ("run__target",)
