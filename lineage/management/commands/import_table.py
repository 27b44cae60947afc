"""Import a table in which each row is one record."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from lineage.management.commands.import_records import Command as ImportRecords
from lineage.services.importing import import_records
from lineage.services.tables import Columns, read_table

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Callable

    from lineage.services.importing import ImportReport


class Command(ImportRecords):
    """``manage.py import_table FILE --dataset NAME --key COL --subject COL --target COL``."""

    help = (
        "Import a CSV or Parquet table, one record per row. Three columns name the record, the "
        "e-mail address of its person and its label; the others are its content."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("table", type=Path)
        parser.add_argument("--dataset", required=True, help="name of the data set")
        for name in ("key", "subject", "target"):
            parser.add_argument(f"--{name}", default=name, metavar="COLUMN")
        parser.add_argument("--json", action="store_true", help="print the report as JSON")

    def imported(
        self, options: dict[str, Any], progress: Callable[[ImportReport], None]
    ) -> ImportReport:
        """Import the rows of the table."""
        columns = Columns(key=options["key"], subject=options["subject"], target=options["target"])
        return import_records(
            dataset_name=options["dataset"],
            rows=read_table(options["table"], columns),
            now=timezone.now(),
            progress=progress,
        )
