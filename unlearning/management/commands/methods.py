"""List the unlearning methods with what they declare."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand

from unlearning.queries.catalogue import declared_methods

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    """``manage.py methods [--json]``."""

    help = "List every unlearning method with its declarations; nothing is run."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the one option."""
        parser.add_argument("--json", action="store_true", help="everything, for programs")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  (Django's signature)
        """Print one line, or one JSON object, per method."""
        methods = declared_methods().values()
        if options["json"]:
            self.stdout.write(json.dumps(list(methods), indent=2, ensure_ascii=False))
            return
        for each in methods:
            reads = "reads the forget set" if each["reads_forget"] else "does not read it"
            self.stdout.write(
                f"{each['name']:<22} {each['guarantee'].lower():<12} {each['forget_set']}; "
                f"{reads}; needs {', '.join(each['needs_words'])}; edits {each['layers_words']}"
            )
