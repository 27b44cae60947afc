"""``manage.py export_report CASE --out DIR``: write the files that somebody else can verify.

With ``--edition`` it writes one PDF: the regulator's or the person's edition of a case, or the
public one over a period.
"""

from __future__ import annotations

import hashlib
import json
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from audits import keys
from audits.core import bundle
from audits.core.editions import LANGUAGES, Edition, check_period, file_name
from audits.execution import edition_files, editions, reporting
from audits.models import ErasureRequest
from audits.queries import reports
from audits.queries.clocks import today
from audits.queries.editions import editions_of, sealed_records
from audits.queries.letter_texts import FALLBACK, known_locale
from audits.services.editions import log_public_edition
from lineage.queries.artefacts import read_artefact

if TYPE_CHECKING:
    from argparse import ArgumentParser

NAMES = {
    reports.JSON: bundle.RECORD,
    reports.PDF: bundle.REPORT,
    reports.MANIFEST: bundle.MANIFEST,
}
UNWRITABLE = (reporting.CaseNotSealed, LookupError, OSError, ValueError)


class Command(BaseCommand):
    """Export record, report and signed manifest of a sealed case, or one edition of a report."""

    help = (
        "Write record.json, report.pdf and report.manifest.json of a sealed case into a folder, "
        "or with --edition one PDF."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument(
            "case", metavar="REFERENCE_OR_UUID", nargs="?", help="for instance ER-2345-6789"
        )
        parser.add_argument("--out", type=Path, required=True, metavar="DIR")
        parser.add_argument("--edition", choices=[one.slug for one in Edition])
        parser.add_argument(
            "--language", choices=LANGUAGES, help="of the edition; that of the case by default"
        )
        parser.add_argument(
            "--from",
            dest="since",
            type=date.fromisoformat,
            metavar="DATE",
            help="first day of a calendar month, quarter or year; --to is its last day",
        )
        parser.add_argument("--to", dest="until", type=date.fromisoformat, metavar="DATE")
        parser.add_argument("--json", action="store_true", help="print the paths as JSON")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  (Django's signature)
        """Write the files, making them first where there are none yet.

        Raises:
            CommandError: there is no such case, it is not sealed, an option is missing or has no
                use here, or a file cannot be written.
        """
        _check(options)
        try:
            written = _written(options)
        except UNWRITABLE as error:
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


def _check(options: dict[str, Any]) -> None:
    """Raise CommandError unless the options belong together."""
    public = options["edition"] == Edition.PUBLIC.slug
    period = [name for name in ("since", "until") if options[name] is not None]
    if public and (options["case"] or None in (options["since"], options["until"])):
        raise CommandError("--edition public needs --from and --to, and names no case.")
    if not public and (not options["case"] or period):
        raise CommandError("Name a case; --from and --to are for --edition public alone.")
    if public and options["since"] > options["until"]:
        raise CommandError(
            f"--from is {options['since']}, later than --to, which is {options['until']}."
        )
    if options["language"] and not options["edition"]:
        raise CommandError("--language is that of an edition: give --edition, too.")


def _written(options: dict[str, Any]) -> dict[str, str]:
    folder: Path = options["out"]
    if options["edition"] == Edition.PUBLIC.slug:
        return _public(folder, options)
    request = case_called(options["case"])
    if options["edition"]:
        edition = Edition(options["edition"].upper())
        language = options["language"] or known_locale(request.locale)
        return _edition(request, folder, edition, language)
    reporting.write_case_report(case_id=request.pk, now=timezone.now())
    files = reports.report_files(request)
    return _files(folder, {NAMES[code]: read_artefact(file) for code, file in files.items()})


def _edition(
    request: ErasureRequest, folder: Path, edition: Edition, language: str
) -> dict[str, str]:
    wanted = [(edition, language)]
    edition_files.write_editions(case_id=request.pk, wanted=wanted, now=timezone.now())
    data = read_artefact(editions_of(request)[edition, language])
    return _files(folder, {file_name(edition, language): data})


def _public(folder: Path, options: dict[str, Any]) -> dict[str, str]:
    language = options["language"] or FALLBACK
    period = {"since": options["since"], "until": options["until"]}
    check_period(**period, today=today(timezone.now()))
    pdf = editions.public(
        sealed_records(**period), vkey=keys.verifier_text(), locale=language, **period
    )
    written = _files(folder, {file_name(Edition.PUBLIC, language): pdf})
    digest = hashlib.sha256(pdf).hexdigest()
    log_public_edition(language=language, digest=digest, now=timezone.now())
    return written


def _files(folder: Path, contents: dict[str, bytes]) -> dict[str, str]:
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in contents.items():
        (folder / name).write_bytes(data)
    return {name: str(folder / name) for name in contents}
