"""``manage.py serve``: web, workers and scheduler under one supervisor."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from config.demo.journey import DECIDER
from config.services.children import sigterm_closes
from config.services.ports import PortNotUsable
from config.services.processes import ProgramFailed
from config.stage import stage

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    """Run the site until interrupted."""

    help = "Run web, workers and scheduler; prints the URL and, once, a staff login."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  (Django's signature)
        call_command("setup", verbosity=0)
        login = create_staff()
        try:
            with (
                sigterm_closes(),
                stage(var=settings.VAR, host=options["host"], port=options["port"]) as running,
            ):
                self._say(running.site, login)
                running.supervisor.watch()
        except (PortNotUsable, ProgramFailed) as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            self.stdout.write("\nStopped.")

    def _say(self, site: str, login: tuple[str, str] | None) -> None:
        self.stdout.write(f"Expunge runs at {site}/ (form) and {site}/cases/ (staff).")
        if login:
            name, password = login
            self.stdout.write(f"Staff login, shown once: {name} / {password}")
        else:
            self.stdout.write("Staff login: as before. Forgotten? manage.py changepassword staff")
        self.stdout.write("Ctrl-C stops it.")
        self.stdout.flush()


def create_staff() -> tuple[str, str] | None:
    """Make the first staff login with a random password; None when there is one already."""
    users = get_user_model().objects
    if users.filter(is_staff=True, is_active=True).exclude(username=DECIDER).exists():
        return None
    password = secrets.token_urlsafe(12)
    user, _ = users.get_or_create(username="staff")
    user.is_staff = user.is_superuser = user.is_active = True
    user.set_password(password)
    user.save()
    return "staff", password
