from __future__ import annotations

from django.apps import AppConfig


class LineageConfig(AppConfig):
    """Which record went into which model version."""

    name = "lineage"
    default_auto_field = "django.db.models.BigAutoField"
