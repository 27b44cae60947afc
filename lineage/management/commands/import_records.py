"""Import the records that a manifest lists."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from lineage.services.importing import ImportReport, import_records
from lineage.services.manifest import read_manifest

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Iterator

    from lineage.services.import_rows import Rejection, Row


class Command(BaseCommand):
    """``manage.py import_records MANIFEST --dataset NAME [--encoding NAME] [--json]``."""

    help = (
        "Import the records listed in a CSV manifest with the header key,subject,path,target. "
        "Rows that cannot be imported are named by line; all others are imported. Importing "
        "the same manifest again changes nothing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("manifest", type=Path, help="the CSV file; paths are relative to it")
        parser.add_argument("--dataset", required=True, help="name of the data set")
        parser.add_argument("--encoding", default="", help="of the manifest; UTF-8 if not given")
        parser.add_argument("--json", action="store_true", help="print the report as JSON")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  (Django's signature)
        """Import, and end with an error if any row was refused.

        Raises:
            CommandError: the manifest is unusable, the store is full, or rows were refused.
        """
        try:
            report = import_records(
                dataset_name=options["dataset"],
                rows=self.rows(options),
                now=timezone.now(),
                progress=self._progress,
            )
        except (ValueError, OverflowError, OSError) as error:
            raise CommandError(str(error)) from error
        self._print(report, as_json=options["json"])
        if report.rejected:
            raise CommandError(f"{len(report.rejected)} of {report.seen} rows were not imported.")

    def rows(self, options: dict[str, Any]) -> Iterator[Row | Rejection]:
        """Return the rows of the manifest."""
        return read_manifest(options["manifest"], encoding=options["encoding"])

    def _progress(self, report: ImportReport) -> None:
        self.stderr.write(f"{report.seen:,} rows read, {report.imported:,} imported", ending="\n")

    def _print(self, report: ImportReport, *, as_json: bool) -> None:
        if as_json:
            rejected = [{"line": row.line, "sentence": row.sentence} for row in report.rejected]
            whole = {"imported": report.imported, "repeated": report.repeated}
            self.stdout.write(json.dumps(whole | {"rejected": rejected}))
            return
        self.stdout.write(f"Imported {report.imported:,}; {report.repeated:,} were there before.")
        for row in report.rejected:
            self.stdout.write(f"Line {row.line}: {row.sentence}")
