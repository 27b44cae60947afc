from __future__ import annotations

from django.apps import AppConfig


class AuditsConfig(AppConfig):
    """Requests, evidence and the sealed record."""

    name = "audits"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Note who signs in."""
        from audits.views import signed_in  # noqa: F401, PLC0415  (its receivers are connected)
