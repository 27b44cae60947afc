"""``manage.py case_list [--since DATE] [--until DATE] [--format csv|json]``: every case, a row."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError

from audits.queries.case_register import COLUMNS, case_register
from audits.queries.fleet import PeriodRefused, period
from lineage.core.plain_cell import plain_cell

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    """List the cases of a period."""

    help = "List the cases received in a period, with dates and outcomes and no personal data."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument(
            "--since", default="", help="first day, as 2026-11-01 (UTC); open without"
        )
        parser.add_argument("--until", default="", help="last day, included; open without")
        parser.add_argument("--format", choices=("csv", "json"), default="csv")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  (Django's signature)
        """Print a table, or a JSON list of objects with the same names.

        Raises:
            CommandError: a day is none, or the last is before the first.
        """
        try:
            since, until = period(options["since"], options["until"])
        except PeriodRefused as error:
            raise CommandError(str(error)) from None
        rows = list(case_register(since=since, until=until))
        if options["format"] == "json":
            self.stdout.write(json.dumps(rows, indent=2))
            return
        table = csv.DictWriter(self.stdout, COLUMNS, lineterminator="\n")
        table.writeheader()
        for row in rows:
            table.writerow({name: plain_cell(value) for name, value in row.items()})
