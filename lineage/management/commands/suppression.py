"""``manage.py suppression``: what may be said of the people who must not be imported again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management.base import BaseCommand

from lineage.services.suppression import suppression_list

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    """``manage.py suppression [--json]``."""

    help = "Show how many entries the suppression list has, how old, and when imports met it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  (Django's signature)
        """Print counts and days; nothing that the list holds."""
        found, days = suppression_list(), settings.EXPUNGE_SUPPRESSION_DAYS
        if options["json"]:
            told = {
                "count": found.count,
                "oldest": found.oldest.isoformat() if found.oldest else None,
                "retention_days": days,
                "hits": found.hits,
                "last_hit": found.last_hit.isoformat() if found.last_hit else None,
            }
            self.stdout.write(json.dumps(told, indent=2))
            return
        kept = f"{days} days" if days else "for ever"
        met = f"{found.hits}, last on {found.last_hit}" if found.last_hit else "none"
        self.stdout.write(
            f"{found.count} entries, the oldest of {found.oldest or 'no known day'}, kept {kept}. "
            f"People that imports met and refused: {met}."
        )
