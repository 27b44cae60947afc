"""List the searches of hyperparameters: how far they are, and what they found."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand

from unlearning.queries.tunings import all_tunings, completed

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from unlearning.models import Tuning


class Command(BaseCommand):
    """``manage.py tunings [--json]``."""

    help = "List the searches of hyperparameters, the newest first."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the one option."""
        parser.add_argument("--json", action="store_true", help="everything, for programs")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  (Django's signature)
        """Print one line, or one JSON object, per search."""
        found = [_told(one) for one in all_tunings()]
        if options["json"]:
            self.stdout.write(json.dumps(found, indent=2))
            return
        if not found:
            self.stdout.write("No search was begun yet: manage.py tune METHOD")
        for one in found:
            numbers = ", ".join(f"{name}={value}" for name, value in one["found"].items())
            self.stdout.write(
                f"{one['method']:<22} {one['state'].lower():<10} "
                f"{one['completed']}/{one['trials']} trials  "
                f"{numbers or one['failure'] or one['recipe']}"
            )


def _told(one: Tuning) -> dict[str, Any]:
    return {
        "tuning": str(one.pk),
        "method": one.method,
        "recipe": one.recipe,
        "recipe_digest": one.recipe_digest,
        "state": one.state,
        "version": one.version,
        "completed": completed(one.pk),
        "trials": one.trials_wanted,
        "found": one.hyperparameters,
        "objectives": one.objectives,
        "study": one.study_digest,
        "artefact": one.digest,
        "failure": one.failure,
    }
