"""``manage.py keys init|rotate|list``: the keys of this installation and their periods."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from audits import keys
from audits.core.canonical import sha256
from audits.core.rotation import ROLES
from audits.core.seal_key import certificate_told
from audits.key_files import SigningKeyMissing
from audits.key_register import IN_PEM, KnownKey, known_keys
from audits.services.key_rotation import RotationImpossible, rotate_key

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    """Make, replace and list keys."""

    help = (
        "init makes the keys that are missing, and encrypts those that are not once "
        "EXPUNGE_KEYS_PASSPHRASE is set; rotate replaces one; list tells their periods."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        actions = parser.add_subparsers(dest="action", required=True)
        actions.add_parser("init", help="make the keys that are missing")
        rotate = actions.add_parser("rotate", help="replace a key by a new one")
        rotate.add_argument("role", choices=ROLES)
        listed = actions.add_parser("list", help="tell all keys and their periods")
        listed.add_argument("--json", action="store_true", help="as JSON, with the public keys")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  (Django's signature)
        """Do it.

        Raises:
            CommandError: a key is missing, cannot be opened, or is kept elsewhere.
        """
        try:
            getattr(self, f"_{options['action']}")(options)
        except (SigningKeyMissing, RotationImpossible) as error:
            raise CommandError(str(error)) from error

    def _init(self, _: dict[str, Any]) -> None:
        made = keys.init()
        self.stdout.write(f"Made: {', '.join(made)}." if made else "Every key is there.")

    def _rotate(self, options: dict[str, Any]) -> None:
        path = rotate_key(role=options["role"], now=timezone.now())
        self.stdout.write(
            f"The {options['role']} key is replaced. The statement that both keys signed: {path}"
        )

    def _list(self, options: dict[str, Any]) -> None:
        known = known_keys()
        if options["json"]:
            self.stdout.write(json.dumps([asdict(one) for one in known], indent=2))
            return
        for one in known:
            period = f"{one.since} to {one.until or 'now'}"
            self.stdout.write(f"{one.role:9} {period:54} {_told(one)}")


def _told(one: KnownKey) -> str:
    if one.role == "seal":
        return certificate_told(one.key)
    return f"public key {sha256(one.key.encode())}" if one.role in IN_PEM else one.key
