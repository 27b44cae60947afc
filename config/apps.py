from __future__ import annotations

from django.apps import AppConfig


class SiteConfig(AppConfig):
    """The site itself: the commands that use every app."""

    name = "config"
    label = "site_config"

    def ready(self) -> None:
        """Register the system checks, and record traces where they are wanted."""
        from config import (  # noqa: PLC0415  (when the apps are loaded)
            anchor_checks,  # noqa: F401
            checks,  # noqa: F401
            clock_checks,  # noqa: F401
            key_checks,  # noqa: F401
            language_checks,  # noqa: F401
            mail_checks,  # noqa: F401
            policy,  # noqa: F401
            processing_checks,  # noqa: F401
            retention_checks,  # noqa: F401
            sign_in_checks,  # noqa: F401
            tracing,
            watching_checks,  # noqa: F401
        )

        tracing.switch_on()
