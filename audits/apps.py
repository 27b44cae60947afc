from __future__ import annotations

from django.apps import AppConfig


class AuditsConfig(AppConfig):
    """Requests, evidence and the sealed record."""

    name = "audits"
    default_auto_field = "django.db.models.BigAutoField"
