"""``manage.py fsck``: compare the log with everything that was signed over it."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from audits import keys
from audits.queries.log_check import LogDamaged, check_log


class Command(BaseCommand):
    """Rebuild the tree of the log from its rows; name the first leaf that is wrong."""

    help = (
        "Check every event of the log, every checkpoint and every sealed record. "
        "The exit code is 0 if all is whole and 1 otherwise."
    )

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  (Django's signature)
        """Check the log, and end with an error at the first bad index.

        Raises:
            CommandError: the log is damaged, or there is no public key; the exit code is 1.
        """
        try:
            found = check_log(vkey=keys.verifier_text())
        except LogDamaged as damage:
            raise CommandError(f"First bad index: {damage.index}. {damage}") from damage
        except (OSError, ValueError) as error:
            raise CommandError(f"The public key of the log cannot be read: {error}") from error
        self.stdout.write(
            f"The log is whole: {found.events} events, {found.checkpoints} checkpoints and "
            f"{found.records} sealed records agree."
        )
