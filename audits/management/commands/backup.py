"""``manage.py backup``: database, store and journal into one folder, the keys apart."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from audits.services.backing_up import BackupRefused, back_up
from lineage.core.place_settings import SettingRefused
from lineage.services.database_copies import DatabaseNotCopied

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    """``manage.py backup FOLDER --days N [--keys FOLDER] [--json]``."""

    help = (
        "Write database, store and journal into a new folder, with a SHA-256 of each, and "
        "register it as a backup that is to be destroyed. The keys are never in it; --keys copies "
        "them to a folder elsewhere."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("folder", type=Path, help="new; its last part names the backup")
        parser.add_argument("--days", type=int, required=True, help="until it is to be destroyed")
        parser.add_argument("--keys", type=Path, metavar="FOLDER", help="new, on another disk")
        parser.add_argument("--json", action="store_true", help="print what was made as JSON")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  (Django's signature)
        """Make it. Raises CommandError with a sentence; nothing is left of it then."""
        now = timezone.now()
        if not 1 <= options["days"] <= 3650:  # noqa: PLR2004  (ten years)
            raise CommandError(f"--days is {options['days']}; allowed are 1 to 3650.")
        try:
            made = back_up(
                folder=options["folder"],
                keys=options["keys"],
                expires_at=now + timedelta(days=options["days"]),
                now=now,
            )
        except (BackupRefused, DatabaseNotCopied, SettingRefused, OSError) as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            told = {"name": made.name, "expires_on": made.expires_at.date().isoformat()}
            self.stdout.write(json.dumps(told))
        else:
            self.stdout.write(
                f"{made.name} holds {made.covers}; destroy it by {made.expires_at:%Y-%m-%d}."
            )
