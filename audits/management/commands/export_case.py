"""``manage.py export_case CASE [--out FILE.zip]``: one file that a regulator verifies alone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from audits.execution import reporting
from audits.execution.case_zip import case_zip
from audits.key_files import SigningKeyMissing
from audits.management.commands.export_report import case_called
from lineage.artifacts import ArtefactAltered, ArtefactMissing

if TYPE_CHECKING:
    from argparse import ArgumentParser

UNREADABLE = (
    reporting.CaseNotSealed,
    SigningKeyMissing,
    ArtefactAltered,
    ArtefactMissing,
    LookupError,
    OSError,
    ValueError,
)


class Command(BaseCommand):
    """Export a sealed case as a zip."""

    help = (
        "Write a zip with report, record, proofs, events and a program that verifies them. The "
        "same case gives the same bytes."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("case", metavar="REFERENCE_OR_UUID", help="for instance ER-2345-6789")
        parser.add_argument(
            "--out", type=Path, metavar="FILE.zip", help="by default the reference, here"
        )

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  (Django's signature)
        """Write the zip, making the report first if there is none yet, and print its path.

        Raises:
            CommandError: there is no such case, it is not sealed, or a file cannot be written.
        """
        request = case_called(options["case"])
        path: Path = options["out"] or Path(f"{request.reference}.zip")
        if path.suffix != ".zip":
            raise CommandError(f"--out is {str(path)!r}; it must be a file that ends in .zip.")
        try:
            reporting.write_case_report(case_id=request.pk, now=timezone.now())
            path.write_bytes(case_zip(request))
        except UNREADABLE as error:
            raise CommandError(str(error)) from error
        self.stdout.write(str(path))
