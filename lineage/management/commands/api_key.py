"""Make, list and revoke API keys."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from lineage.models import ApiKey
from lineage.services.api_keys import (
    SCOPES,
    KeyWithoutStaff,
    ScopeUnknown,
    create_key,
    revoke_key,
)

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    """``manage.py api_key create NAME --scope capture | list | revoke PREFIX``."""

    help = "Make, list and revoke API keys. A key is shown once, when it is made."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the three verbs."""
        verbs = parser.add_subparsers(dest="verb", required=True)
        create = verbs.add_parser("create", help="make a key and show it once")
        create.add_argument("name", help="who uses the key")
        create.add_argument("--scope", action="append", required=True, choices=list(SCOPES))
        create.add_argument("--days", type=int, default=90, help="0: it does not expire")
        create.add_argument(
            "--as",
            dest="acts_for",
            metavar="USERNAME",
            help="the member of staff in whose name it acts on cases (cases:write)",
        )
        verbs.add_parser("list", help="show the keys, without their secrets")
        revoke = verbs.add_parser("revoke", help="refuse a key from now on")
        revoke.add_argument("prefix", help="as the list shows it")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  (Django's signature)
        """Do what the verb says. Raises CommandError."""
        {"create": self._create, "list": self._list, "revoke": self._revoke}[options["verb"]](
            options
        )

    def _create(self, options: dict[str, Any]) -> None:
        lifetime = timedelta(days=options["days"]) if options["days"] else None
        try:
            made = create_key(
                name=options["name"],
                scopes=options["scope"],
                now=timezone.now(),
                lifetime=lifetime,
                acts_for=self._member(options["acts_for"]),
            )
        except (ScopeUnknown, KeyWithoutStaff) as error:
            raise CommandError(str(error)) from error
        self.stderr.write("This key is shown once; keep it like a password.")
        self.stdout.write(made.secret)

    def _member(self, username: str | None) -> User | None:
        if not username:
            return None
        found = User.objects.filter(username=username, is_staff=True, is_active=True).first()
        if found is None:
            raise CommandError(
                f"--as is {username!r}; allowed is an open account of staff: see manage.py staff"
            )
        return found

    def _list(self, options: dict[str, Any]) -> None:
        for key in ApiKey.objects.select_related("acts_for").order_by("created_at"):
            until = f"until {key.expires_at:%Y-%m-%d}" if key.expires_at else "does not expire"
            used = f"last used {key.last_used_at:%Y-%m-%d}" if key.last_used_at else "never used"
            state = "revoked" if key.revoked_at else until
            acts = f", acts for {key.acts_for.username}" if key.acts_for else ""
            self.stdout.write(
                f"{key.prefix}  {key.name}  {', '.join(key.scopes)}  {state}, {used}{acts}"
            )

    def _revoke(self, options: dict[str, Any]) -> None:
        if not revoke_key(prefix=options["prefix"], now=timezone.now()):
            raise CommandError(
                f"No valid key has the prefix {options['prefix']!r}; see manage.py api_key list"
            )
