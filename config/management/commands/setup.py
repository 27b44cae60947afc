"""``manage.py setup``: keys, database, static files. Running it again is safe."""

from __future__ import annotations

import os
import secrets
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError

from audits import keys
from audits.services.rights import make_roles
from lineage import keys as lineage_keys


class Command(BaseCommand):
    """Make what this installation needs, and leave what is there."""

    help = "Make keys, database tables and static files; safe to run again."

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  (Django's signature)
        for folder in (settings.VAR, settings.KEYS, settings.EMAIL_FILE_PATH):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        (settings.BROKER_FOLDER / "control").mkdir(parents=True, exist_ok=True)
        _write_secret()
        keys.init()
        lineage_keys.get_or_create("lookup")
        _migrate()
        make_roles()
        call_command("collectstatic", interactive=False, verbosity=0)
        if options["verbosity"]:
            self.stdout.write(f"Ready. Data lies in {settings.VAR}, keys in {settings.KEYS}.")


def _migrate() -> None:
    try:
        call_command("migrate", interactive=False, verbosity=0)
    except OperationalError as error:
        reason = str(error).partition("\n")[0].rstrip(".")
        raise CommandError(
            f"The database cannot be used: {reason}. Check DATABASE_URL, and that it is running."
        ) from error


def _write_secret() -> None:
    path = settings.KEYS / "django.secret"
    if path.exists():
        return
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_urlsafe(50))
