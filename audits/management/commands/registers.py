"""``manage.py registers NAME [--since DATE] [--until DATE] [--format csv|json]``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError

from audits.queries.fleet import PeriodRefused, period
from audits.queries.register_tables import REGISTERS, as_csv, as_json

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    """Print a register."""

    help = "Print a register, without personal data: cases, attacks, rules or keys."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("name", choices=list(REGISTERS))
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
        register = REGISTERS[options["name"]]
        try:
            since, until = period(options["since"], options["until"])
        except PeriodRefused as error:
            raise CommandError(str(error)) from None
        rows = register.rows(since, until)
        parts = as_json(rows) if options["format"] == "json" else as_csv(register.columns, rows)
        for part in parts:
            self.stdout.write(part, ending="")
        if options["format"] == "json":
            self.stdout.write()
