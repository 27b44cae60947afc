"""Write the registry as OpenLineage events."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from django.core.management.base import BaseCommand, CommandError

from lineage.queries.openlineage import run_events

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    """``manage.py export_openlineage [--out FILE] [--records]``."""

    help = (
        "Write every run as OpenLineage events, one JSON object a line. They hold pseudonymous "
        "numbers and no personal data."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("--out", type=Path, help="the file; standard output if not given")
        parser.add_argument(
            "--records", action="store_true", help="also which records each run read"
        )

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  (Django's signature)
        """Write the events. Raises CommandError where the file cannot be written."""
        if options["out"] is None:
            _write(sys.stdout, with_records=options["records"])
            return
        try:
            with options["out"].open("w", encoding="utf-8") as file:
                count = _write(file, with_records=options["records"])
        except OSError as error:
            raise CommandError(f"{options['out']} cannot be written: {error.strerror}.") from error
        self.stderr.write(f"Wrote {count} events to {options['out']}.")


def _write(file: TextIO, *, with_records: bool) -> int:
    count = 0
    for event in run_events(with_records=with_records):
        file.write(json.dumps(event) + "\n")
        count += 1
    return count
