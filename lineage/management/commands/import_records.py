"""Import the records that a manifest lists."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from tqdm import tqdm

from lineage.services.importing import ImportReport
from lineage.services.manifest_import import ImportedBefore, import_manifest

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Callable


class Command(BaseCommand):
    """``manage.py import_records MANIFEST --dataset NAME [--encoding NAME] [--json]``."""

    help = (
        "Import the records listed in a CSV or Parquet manifest with the columns key and subject, "
        "and path where their content is to be stored here. Rows that cannot be imported are "
        "named by line; all others are imported. An interrupted import goes on where it stopped; "
        "importing the same manifest again changes nothing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("manifest", type=Path, help="CSV or Parquet; paths are relative to it")
        parser.add_argument("--dataset", required=True, help="name of the data set")
        parser.add_argument("--encoding", default="", help="of a CSV file; UTF-8 if not given")
        parser.add_argument("--json", action="store_true", help="print the report as JSON")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  (Django's signature)
        """Import, and end with an error if any row was refused.

        Raises:
            CommandError: the manifest is unusable, the store is full, or rows were refused.
        """
        with tqdm(unit=" rows", disable=not sys.stderr.isatty()) as bar:

            def told(report: ImportReport) -> None:
                bar.update(report.seen - bar.n)
                if bar.disable:
                    self.stderr.write(f"{report.seen:,} rows read, {report.imported:,} imported")

            try:
                report = self.imported(options, told)
            except ImportedBefore as before:
                self.stderr.write(str(before))
                report = ImportReport(repeated=before.rows)
            except (ValueError, OverflowError, OSError) as error:
                raise CommandError(str(error)) from error
        self._print(report, as_json=options["json"])
        if report.refused_before:
            raise CommandError(
                f"{report.refused_before} rows were refused before the import was interrupted, "
                f"{len(report.rejected)} after. Import the manifest again: all are named then."
            )
        if report.rejected:
            raise CommandError(f"{len(report.rejected)} of {report.seen} rows were not imported.")

    def imported(
        self, options: dict[str, Any], progress: Callable[[ImportReport], None]
    ) -> ImportReport:
        """Import what the options name."""
        return import_manifest(
            path=options["manifest"],
            dataset_name=options["dataset"],
            now=timezone.now(),
            encoding=options["encoding"],
            progress=progress,
        )

    def _print(self, report: ImportReport, *, as_json: bool) -> None:
        if as_json:
            rejected = [{"line": row.line, "sentence": row.sentence} for row in report.rejected]
            whole = {
                "imported": report.imported,
                "repeated": report.repeated,
                "located": report.located,
                "rejected": rejected,
                "conflicting": report.conflicting,
                "held": report.held,
                "conflicts": [
                    {
                        "line": one.line,
                        "other": one.other,
                        "distance": one.distance,
                        "held": one.held,
                    }
                    for one in report.conflicts
                ],
                "pictures_compared": not report.search_left_out,
            }
            self.stdout.write(json.dumps(whole))
            return
        self.stdout.write(f"Imported {report.imported:,}; {report.repeated:,} were there before.")
        if report.located:
            self.stdout.write(f"{report.located:,} further locations of these were kept.")
        for row in report.rejected:
            self.stdout.write(f"Line {row.line}: {row.sentence}")
        self._print_conflicts(report)

    def _print_conflicts(self, report: ImportReport) -> None:
        for one in report.conflicts:
            came = "It is held back until staff release it." if one.held else "It was imported."
            self.stdout.write(f"Line {one.line}: {one.sentence} {came}")
        if more := report.conflicting - len(report.conflicts):
            self.stdout.write(f"{more:,} more rows are like records of another target.")
        if report.held:
            self.stdout.write(
                f"{report.held:,} of the imported rows are held back: no training is given them. "
                "Staff look at them on the page /data/."
            )
        if report.search_left_out:
            self.stdout.write(
                "The data set holds more pictures than EXPUNGE_LABEL_CONFLICT_RECORDS, so only "
                "equal contents were compared."
            )
