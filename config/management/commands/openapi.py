"""Write the OpenAPI document of the API, and the table of its addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand

from config import api_page, openapi
from config.api import api

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    """``manage.py openapi [--write]``."""

    help = "Print the OpenAPI document of the API."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the one option."""
        parser.add_argument(
            "--write", action="store_true", help="renew docs/openapi.json and docs/api.md instead"
        )

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  (Django's signature)
        """Print the document, or write it where it belongs."""
        text = openapi.written(api)
        if not options["write"]:
            self.stdout.write(text, ending="")
            return
        openapi.FILE.write_text(text)
        api_page.PAGE.write_text(api_page.page_text(api_page.PAGE.read_text(), api))
        self.stdout.write(f"Wrote {openapi.FILE.name} and {api_page.PAGE.name}.")
