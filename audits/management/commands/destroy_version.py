"""Destroy a model version outside a case."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from audits.management.named_version import named_version
from audits.services import destruction
from lineage.artifacts import ArtefactRemains

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    """``manage.py destroy_version MODEL:VERSION --ground AUTHORITY_ORDER --confirm "NAME vN"``."""

    help = (
        "Destroy weights, checkpoints, caches and exports of a model version for good, read back "
        "that they are gone, and tell whoever runs it."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("version", help="MODEL:VERSION")
        parser.add_argument("--ground", required=True, choices=list(destruction.Ground))
        parser.add_argument("--confirm", required=True, help="its name as pages show it: MODEL vN")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  (Django's signature)
        """Destroy it.

        Raises:
            CommandError: it was not destroyed, or not wholly; the sentence says why.
        """
        version = named_version("version", options["version"])
        try:
            count = destruction.destroy(
                version=version,
                typed=options["confirm"],
                ground=options["ground"],
                user=None,
                now=timezone.now(),
            )
        except (
            destruction.DestructionRefused,
            destruction.VersionRemains,
            ArtefactRemains,
        ) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{version} is destroyed: {count} files, read back as gone.")
