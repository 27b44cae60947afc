"""Unlearning runs in the admin: to read, since only services write them."""

from __future__ import annotations

from django.contrib import admin

from lineage.admin import ReadOnlyAdmin
from unlearning.models import Tuning, UnlearningRun


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
    list_select_related = ("target", "escalated_from__target")
    date_hierarchy = "created_at"
    # Which records are in a forget set is nothing to browse.
    exclude = ("forget_bitmap",)


@admin.register(Tuning)
class TuningAdmin(ReadOnlyAdmin):
    """What was searched for which recipe, and what was found."""

    list_display = ("__str__", "state", "trials_wanted", "frozen_at", "created_at")
    list_filter = ("state", "method")
    search_fields = ("id", "recipe", "recipe_digest", "digest")
    exclude = ("view", "forget")
    date_hierarchy = "created_at"
