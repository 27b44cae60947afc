"""``manage.py journey``: twelve situations of a data-protection officer, on the real pages."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from config.journey.run import JourneyStopped, journey
from config.journey.table import table
from config.services.ports import free_port

if TYPE_CHECKING:
    from argparse import ArgumentParser

# What an installation in use has set must not be touched by a journey.
OTHERS = ("DATABASE_URL", "REDIS_URL", "EXPUNGE_KEYS", "EXPUNGE_STORE", "EXPUNGE_JOURNAL")


class Command(BaseCommand):
    """Play every scenario in an installation of its own and print what happened."""

    help = "Play twelve situations of a data-protection officer on the real pages."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object")
        parser.add_argument("--here", action="store_true", help="used by the command itself")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  (Django's signature)
        """Run the journey in a folder that is deleted afterwards.

        Raises:
            CommandError: a scenario did not go as it must, or the site did not start.
        """
        if not options["here"]:
            with tempfile.TemporaryDirectory(prefix="expunge-journey-") as home:
                self._apart(home, as_json=options["json"])
            return
        try:
            rows = journey(say=self._say)
        except JourneyStopped as error:
            raise CommandError(str(error)) from error
        self.stdout.write(json.dumps({"scenarios": rows}) if options["json"] else table(rows))
        if wrong := [row["name"] for row in rows if not row["ok"]]:
            raise CommandError(f"Not as it must be: {'; '.join(wrong)}.")

    def _apart(self, home: str, *, as_json: bool) -> None:
        argv = [sys.executable, "manage.py", "journey", "--here", *(["--json"] if as_json else [])]
        done = subprocess.run(  # noqa: S603  (ourselves)
            argv, cwd=settings.BASE_DIR, env=_environ(home), check=False, stdout=subprocess.PIPE
        )
        self.stdout.write(done.stdout.decode().rstrip())
        if done.returncode:
            raise CommandError("The journey did not end well; the lines above say where.")

    def _say(self, line: str) -> None:
        self.stderr.write(line)


def _environ(home: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in OTHERS}
    return {
        **kept,
        "EXPUNGE_HOME": home,
        "EXPUNGE_EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EXPUNGE_EMAIL_HOST": "127.0.0.1",
        "EXPUNGE_EMAIL_PORT": str(free_port(host="127.0.0.1")),
        "EXPUNGE_EMAIL_TLS": "NONE",
        "EXPUNGE_EMAIL_USER": "",
        "EXPUNGE_EMAIL_PASSWORD_FILE": "",
        "EXPUNGE_COUNTRY": "FR",
        "EXPUNGE_CLOCK_ZONE": "Europe/Paris",
        "EXPUNGE_FORM_MIN_SECONDS": "0",
        "EXPUNGE_FORM_PER_HOUR": "1000",
        "EXPUNGE_SWEEP_SECONDS": "1",
        "EXPUNGE_MINIMUM": "SAME_RECIPE",
        "EXPUNGE_DUPLICATE_DISTANCE": "0.0001",
        "EXPUNGE_LABEL_CONFLICTS": "IGNORE",
        "EXPUNGE_LOG_LEVEL": "ERROR",
    }
