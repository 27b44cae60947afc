"""``manage.py serve``: web, workers and scheduler under one supervisor."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from audits.services import role_log
from audits.services.rights import give_role, make_roles
from config.demo.journey import OFFICER, REVIEWER
from config.services.children import sigterm_closes
from config.services.ports import PortNotUsable
from config.services.processes import ProgramFailed
from config.stage import stage

if TYPE_CHECKING:
    from argparse import ArgumentParser

# Whoever approves a case does not carry it out, so the reviewer is nothing else.
FIRST = {
    "staff": ("Case officer", "Model operator", "Administrator"),
    "reviewer": ("Reviewer",),
}


class Command(BaseCommand):
    """Run the site until interrupted."""

    help = "Run web, workers and scheduler; prints the URL and, once, a staff login."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  (Django's signature)
        call_command("setup", verbosity=0)
        logins = create_staff()
        try:
            with (
                sigterm_closes(),
                stage(var=settings.VAR, host=options["host"], port=options["port"]) as running,
            ):
                self._say(running.site, logins)
                running.supervisor.watch()
        except (PortNotUsable, ProgramFailed) as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            self.stdout.write("\nStopped.")

    def _say(self, site: str, logins: list[tuple[str, str]]) -> None:
        self.stdout.write(f"Expunge runs at {site}/ (form) and {site}/cases/ (staff).")
        if logins:
            (name, password), (second, its_password) = logins
            self.stdout.write(f"Staff login, shown once: {name} / {password}")
            self.stdout.write(
                f"For whoever approves decisions, also shown once: {second} / {its_password}"
            )
        else:
            self.stdout.write("Staff login: as before. Forgotten? manage.py changepassword staff")
        self.stdout.write("Ctrl-C stops it.")
        self.stdout.flush()


def create_staff() -> list[tuple[str, str]]:
    """Make the first two staff logins with random passwords; none when there is one already.

    Two, as whoever proposes a decision does not approve it; neither is a superuser.
    """
    users = get_user_model().objects
    made_up = [OFFICER[0], REVIEWER[0]]
    if users.filter(is_staff=True, is_active=True).exclude(username__in=made_up).exists():
        return []
    return [_login(name, roles) for name, roles in FIRST.items()]


def _login(name: str, roles: tuple[str, ...]) -> tuple[str, str]:
    password = secrets.token_urlsafe(12)
    user, _ = get_user_model().objects.get_or_create(username=name)
    make_roles()
    with role_log.told(user, now=timezone.now()):
        user.is_staff = user.is_active = True
        user.is_superuser = False
        user.set_password(password)
        user.save()
        for role in roles:
            give_role(user=user, role=role)
    return name, password
