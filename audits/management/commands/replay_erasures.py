"""Erase again, after a restore, what was erased since the backup was made."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from audits.services.replaying import replay_erasures

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    """``manage.py replay_erasures [--json]``."""

    help = (
        "Erase again what the journal of erasures names and this database holds. Run it after "
        "restoring a backup: until then the site and the workers refuse to serve."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("--json", action="store_true", help="print what was done as JSON")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  (Django's signature)
        """Replay, and end with an error if something can still be found.

        Raises:
            CommandError: there is no journal, or records remain.
        """
        if not settings.EXPUNGE_JOURNAL.exists():
            raise CommandError(
                f"There is no journal at {settings.EXPUNGE_JOURNAL}. If there were erasures, "
                "bring it back from where it is kept (EXPUNGE_JOURNAL); if none ever was, there "
                "is nothing to replay."
            )
        done = replay_erasures(now=timezone.now())
        if options["json"]:
            self.stdout.write(
                json.dumps(
                    {
                        "entries": done.entries,
                        "records": done.records,
                        "remaining": done.remaining,
                        "quarantined": [str(version) for version in done.quarantined],
                    }
                )
            )
        else:
            self._say(done)
        if done.remaining:
            raise CommandError(
                f"{done.remaining} records can still be found. Check that the store is writable, "
                "then run this again."
            )

    def _say(self, done: Any) -> None:  # noqa: ANN401  (a dataclass)
        if not done.entries:
            self.stdout.write("Nothing to replay: the database knows every erasure.")
            return
        names = ", ".join(str(version) for version in done.quarantined) or "none"
        self.stdout.write(
            f"Replayed {done.entries} erasures of {done.records} records. "
            f"Quarantined versions: {names}."
        )
