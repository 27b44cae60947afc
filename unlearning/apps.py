from __future__ import annotations

from django.apps import AppConfig


class UnlearningConfig(AppConfig):
    """Removing the influence of records from a model."""

    name = "unlearning"
    default_auto_field = "django.db.models.BigAutoField"
