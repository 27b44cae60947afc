"""``manage.py ropa [show|set]``: the record of processing activities (Art. 30)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from audits.core.processing import FIELDS, REQUESTS, as_csv, as_json, as_markdown
from audits.core.processing_words import WORDS
from audits.queries.processing import processing_record, target_of
from audits.services.processing import DescriptionRefused, describe_processing

if TYPE_CHECKING:
    from argparse import ArgumentParser

FORMS = {"json": as_json, "csv": as_csv, "md": as_markdown}


class Command(BaseCommand):
    """Print the record, or say what the platform cannot know."""

    help = (
        "Print the record of processing with what is missing; `ropa set dataset:NAMESPACE/NAME "
        "--purposes ...` or `ropa set place:SLUG ...` says what the platform cannot know."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("--format", choices=list(FORMS), default="md")
        parser.add_argument("--out", type=Path, help="a file; without, it is printed")
        parser.add_argument("--language", choices=list(WORDS), default="en")
        actions = parser.add_subparsers(dest="action")
        describe = actions.add_parser("set", help="describe a data set or a place")
        describe.add_argument("activity", help="dataset:NAMESPACE/NAME, place:SLUG or requests")
        for name, article in FIELDS.items():
            described = f"{WORDS['en'][name]} ({article})"
            describe.add_argument(f"--{name}", help=described)

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  (Django's signature)
        """Do it.

        Raises:
            CommandError: nothing was kept or written; the sentence says why.
        """
        if options["action"] == "set":
            self._set(options)
            return
        record = processing_record(now=timezone.now(), language=options["language"])
        text = FORMS[options["format"]](record)
        if options["out"] is None:
            self.stdout.write(text, ending="")
            return
        try:
            options["out"].write_text(text, encoding="utf-8")
        except OSError as error:
            raise CommandError(f"--out {options['out']} cannot be written: {error}") from error
        self.stdout.write(f"{options['out']} is written; {len(record.gaps())} gaps are in it.")

    def _set(self, options: dict[str, Any]) -> None:
        kind, _, name = options["activity"].partition(":")
        target = target_of(kind, name) if kind in ("dataset", "place") else None
        if target is None and options["activity"] != REQUESTS:
            raise CommandError(
                f"activity is {options['activity']!r}; it must be dataset:NAMESPACE/NAME or "
                "place:SLUG of one that is registered, or requests."
            )
        said = {field: options[field] for field in FIELDS if options[field] is not None}
        try:
            kept = describe_processing(target=target, said=said, user=None, now=timezone.now())
        except DescriptionRefused as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"{options['activity']} is described; this is description {kept.number}."
        )
