"""How many answers the callers of a served model had."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError

from audits.queries.query_counts import days_of
from audits.queries.serving import VersionNotHere, check_model

if TYPE_CHECKING:
    from django.core.management.base import CommandParser


class Command(BaseCommand):
    """``manage.py queries MODEL``: each day, and whoever asked most."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("model", help="The name of a model.")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  (Django's signature)
        try:
            check_model(options["model"])
        except VersionNotHere as error:
            raise CommandError(str(error)) from error
        days = days_of(options["model"])
        for one in days:
            self.stdout.write(
                f"{one.day}  {one.answers} answers, {one.callers} callers, at most {one.most} each"
            )
        if not days:
            self.stdout.write(f"No answers of {options['model']} were counted.")
