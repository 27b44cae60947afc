"""``manage.py export_report CASE --out DIR``: write the files that somebody else can verify."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from audits.core import bundle
from audits.execution import reporting
from audits.models import ErasureRequest
from audits.queries import reports
from lineage.queries.artefacts import read_artefact

if TYPE_CHECKING:
    from argparse import ArgumentParser

NAMES = {
    reports.JSON: bundle.RECORD,
    reports.PDF: bundle.REPORT,
    reports.MANIFEST: bundle.MANIFEST,
}


class Command(BaseCommand):
    """Export record, report and signed manifest of a sealed case."""

    help = "Write record.json, report.pdf and report.manifest.json of a sealed case into a folder."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("case", metavar="REFERENCE_OR_UUID", help="for instance ER-2345-6789")
        parser.add_argument("--out", type=Path, required=True, metavar="DIR")
        parser.add_argument("--json", action="store_true", help="print the paths as JSON")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  (Django's signature)
        """Write the files, making the report first if there is none yet.

        Raises:
            CommandError: there is no such case, it is not sealed, or a file cannot be written.
        """
        request = case_called(options["case"])
        try:
            reporting.write_case_report(case_id=request.pk, now=timezone.now())
            written = _write(request, options["out"])
        except (reporting.CaseNotSealed, LookupError, OSError, ValueError) as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps(written))
            return
        self.stdout.write("\n".join(written.values()))


def case_called(name: str) -> ErasureRequest:
    """Return the case with this reference or id.

    Raises:
        CommandError: there is none.
    """
    try:
        found = ErasureRequest.objects.filter(pk=UUID(name)).first()
    except ValueError:
        found = ErasureRequest.objects.filter(reference=name.strip().upper()).first()
    if found is None:
        raise CommandError(f"There is no case {name!r}: give a reference or the id of a case.")
    return found


def _write(request: ErasureRequest, folder: Path) -> dict[str, str]:
    folder.mkdir(parents=True, exist_ok=True)
    written = {}
    for code, artefact in reports.report_files(request).items():
        path = folder / NAMES[code]
        path.write_bytes(read_artefact(artefact))
        written[NAMES[code]] = str(path)
    return written
