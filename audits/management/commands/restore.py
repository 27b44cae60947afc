"""``manage.py restore``: a backup comes back, and who was erased since is erased again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from audits.services.backing_up import (
    BackupRefused,
    end_sessions,
    note_restored,
    put_back,
    read_backup,
)
from lineage.artifacts import StoreFull, StoreNotWritable
from lineage.services.database_copies import DatabaseNotCopied
from lineage.services.store_copies import StoreNotCopied

if TYPE_CHECKING:
    from argparse import ArgumentParser

_FAILED = (DatabaseNotCopied, StoreNotCopied, StoreFull, StoreNotWritable, OSError)


class Command(BaseCommand):
    """``manage.py restore FOLDER --yes [--journal-lost] [--everything-stopped]``."""

    help = (
        "Put database and store of a backup in the place of what there is, migrate, erase again "
        "who was erased since (replay_erasures), check all (fsck) and log the drill. All sessions "
        "end. Stop the site and the workers before. Keys and journal stay as they are."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("folder", type=Path, help="what manage.py backup wrote")
        parser.add_argument(
            "--yes", action="store_true", help="what the database holds now may be replaced"
        )
        parser.add_argument(
            "--journal-lost",
            action="store_true",
            help="the journal is lost for good: take the copy of the backup",
        )

        parser.add_argument(
            "--everything-stopped",
            action="store_true",
            help="nothing serves or works any more, although a sweep ended within the last minute",
        )

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  (Django's signature)
        """Restore, replay, check and log.

        Raises:
            CommandError: it was refused, or something is left or damaged; the drill is not noted.
        """
        folder = options["folder"]
        if not options["yes"]:
            raise CommandError("What the database holds now would be replaced; say --yes to that.")
        try:
            kept = read_backup(folder)
            files = put_back(
                folder=folder,
                journal_too=options["journal_lost"],
                stopped=options["everything_stopped"],
                now=timezone.now(),
            )
        except BackupRefused as error:
            raise CommandError(str(error)) from error
        except _FAILED as error:
            raise CommandError(f"{error} Put it right and run this again.") from error
        self.stdout.write(f"Database and {files} files of the store are as on {kept.made_at:%F}.")
        call_command("migrate", interactive=False, verbosity=0)
        end_sessions()
        if Path(settings.EXPUNGE_JOURNAL).exists():
            call_command("replay_erasures", stdout=self.stdout, stderr=self.stderr)
        call_command("fsck", stdout=self.stdout, stderr=self.stderr)
        note_restored(kept=kept, now=timezone.now())
        self.stdout.write(f"The drill with {kept.name} is noted in the log.")
