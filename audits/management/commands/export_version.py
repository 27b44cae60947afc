"""``manage.py export_version MODEL:VERSION --out DIR``: a version as files, signed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from audits.key_files import SigningKeyMissing
from audits.management.named_version import named_version
from audits.queries.serving import VersionNotHere
from audits.services.serving import ReaderRefused, VersionNotServed
from audits.services.version_export import ExportRefused, export_version
from lineage.artifacts import ArtefactAltered, ArtefactMissing

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    """Write a model version for others."""

    help = (
        "Write the weights of a version, facts about it and a signature in the format of OpenSSF "
        "Model Signing into a new folder, and log that it left."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("version", help="MODEL:VERSION")
        parser.add_argument("--out", type=Path, required=True, help="a folder that is not there")
        parser.add_argument(
            "--reader", default="", help="who receives it: the name of their API keys"
        )

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  (Django's signature)
        """Write it.

        Raises:
            CommandError: nothing was written; the sentence says why.
        """
        version = named_version("version", options["version"])
        try:
            names = export_version(
                version=version,
                folder=options["out"],
                reader=options["reader"],
                now=timezone.now(),
            )
        except (
            *(ExportRefused, VersionNotHere, VersionNotServed, ReaderRefused),
            *(ArtefactMissing, ArtefactAltered, SigningKeyMissing, OSError),
        ) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{version} is in {options['out']}: {', '.join(names)}.")
