"""Delete stored files that no row speaks of."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from lineage.artifacts import ArtefactRemains
from lineage.services.sweeping import sweep_store


class Command(BaseCommand):
    """``manage.py sweep_store``."""

    help = (
        "Delete from the store what processes that died have left: files older than a day that "
        "no row of the database speaks of."
    )

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  (Django's signature)
        """Sweep and say how much was deleted.

        Raises:
            CommandError: the store did not delete a file.
        """
        try:
            swept = sweep_store(now=timezone.now())
        except ArtefactRemains as error:
            raise CommandError(str(error)) from error
        for folder, count in asdict(swept).items():
            self.stdout.write(f"{folder}: {count:,} files deleted")
