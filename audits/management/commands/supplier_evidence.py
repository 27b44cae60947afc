"""Keep a supplier's document about a model from outside, on the command line."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from audits.management.named_version import named_version
from audits.models import SupplierEvidence
from audits.services.supplier import EvidenceRefused, add_evidence

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    """``manage.py supplier_evidence MODEL:VERSION FILE --supplier ... --statement ...``."""

    help = "Keep a supplier's document about a model that was bought or downloaded."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("version", help="MODEL:VERSION")
        parser.add_argument("file", type=Path)
        parser.add_argument("--kind", choices=SupplierEvidence.Kind.values, required=True)
        parser.add_argument("--supplier", required=True)
        parser.add_argument("--dated", type=date.fromisoformat, required=True, metavar="DAY")
        parser.add_argument("--statement", required=True, help="what the document says")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  (Django's signature)
        """Keep it. Raises CommandError."""
        try:
            made = add_evidence(
                version=named_version("version", options["version"]),
                kind=options["kind"],
                supplier=options["supplier"],
                dated=options["dated"],
                statement=options["statement"],
                data=options["file"].read_bytes(),
                user=None,
                now=timezone.now(),
            )
        except (EvidenceRefused, OSError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{made.file.sha256}  {made}")
