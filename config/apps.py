from __future__ import annotations

from django.apps import AppConfig


class SiteConfig(AppConfig):
    """The site itself: the commands that use every app."""

    name = "config"
    label = "site_config"
