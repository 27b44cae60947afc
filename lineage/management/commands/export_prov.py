"""Write the registry as PROV-JSON."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError

from lineage.queries.prov import prov_document, prov_items

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    """``manage.py export_prov [--out FILE] [--records]``."""

    help = (
        "Write snapshots, runs, versions and what was derived from what as W3C PROV-JSON. It "
        "holds pseudonymous numbers and no personal data."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("--out", type=Path, help="the file; standard output if not given")
        parser.add_argument(
            "--records", action="store_true", help="also every record of every snapshot"
        )

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  (Django's signature)
        """Write the document. Raises CommandError where the file cannot be written."""
        text = json.dumps(prov_document(prov_items(with_records=options["records"])), indent=1)
        if options["out"] is None:
            sys.stdout.write(text + "\n")
            return
        try:
            options["out"].write_text(text + "\n", encoding="utf-8")
        except OSError as error:
            raise CommandError(f"{options['out']} cannot be written: {error.strerror}.") from error
        self.stderr.write(f"Wrote {options['out']}.")
