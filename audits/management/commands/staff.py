"""``manage.py staff``: accounts of staff and their roles, for whoever runs the site."""

from __future__ import annotations

import json
from argparse import SUPPRESS
from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from audits.core.roles import ROLES
from audits.queries.sign_in import has_second_factor, is_locked
from audits.services import accounts

if TYPE_CHECKING:
    from argparse import ArgumentParser

ROLES_OF_ALL = ", ".join(ROLES)


class Command(BaseCommand):
    """List, add and close accounts; give and take roles; see docs/roles.md."""

    help = "List accounts of staff; add, close, unlock, unlink one; give it roles or take them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true")
        steps = parser.add_subparsers(dest="step")
        steps.add_parser("list", help="who there is, with which roles (the default)")
        add = steps.add_parser("add", help="make an account, or give roles to one that is there")
        add.add_argument("--email", default="", help="of the person; their own case is not theirs")
        close = steps.add_parser("close", help="close an account for good")
        take = steps.add_parser("remove-role", help="take a role")
        unlock = steps.add_parser("unlock", help="open an account that failures locked")
        reset = steps.add_parser("reset-factors", help="take the second factors of a lost phone")
        unlink = steps.add_parser("unlink", help="forget who a service vouched for them as")
        for step in (add, close, take, unlock, reset, unlink):
            step.add_argument("name", metavar="NAME", help="of the account")
        for step in (add, take):
            step.add_argument(
                "--role", action="append", required=True, metavar="ROLE", help=ROLES_OF_ALL
            )
        for step in steps.choices.values():
            step.add_argument("--json", action="store_true", default=SUPPRESS)

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  (Django's signature)
        """Do one step. Raises CommandError with a sentence."""
        step = (options["step"] or "list").replace("-", "_")
        try:
            told, words = getattr(self, f"_{step}")(options)
        except accounts.AccountRefused as error:
            raise CommandError(str(error)) from error
        self.stdout.write(json.dumps(told, indent=2) if options["json"] else words)

    def _list(self, _options: dict[str, Any]) -> tuple[Any, str]:
        found = User.objects.filter(is_staff=True).prefetch_related("groups").order_by("username")
        told = [_described(one) for one in found]
        return told, "\n".join(map(_line, told)) or "There is no account of staff yet."

    def _add(self, options: dict[str, Any]) -> tuple[Any, str]:
        user, password = accounts.add_member(
            name=options["name"], roles=options["role"], email=options["email"], now=timezone.now()
        )
        told = _described(user)
        words = _line(told)
        if password:  # shown now and stored nowhere in the clear
            told["password"] = password
            words += f"\nPassword, shown once: {password}"
        return told, words

    def _remove_role(self, options: dict[str, Any]) -> tuple[Any, str]:
        for role in options["role"]:
            accounts.take_role(name=options["name"], role=role, now=timezone.now())
        return self._told(options)

    def _close(self, options: dict[str, Any]) -> tuple[Any, str]:
        accounts.close_account(name=options["name"], now=timezone.now())
        return self._told(options)

    def _unlock(self, options: dict[str, Any]) -> tuple[Any, str]:
        accounts.unlock_account(name=options["name"], now=timezone.now())
        return self._told(options)

    def _reset_factors(self, options: dict[str, Any]) -> tuple[Any, str]:
        accounts.reset_factors(name=options["name"], now=timezone.now())
        return self._told(options)

    def _unlink(self, options: dict[str, Any]) -> tuple[Any, str]:
        accounts.unlink_account(name=options["name"], now=timezone.now())
        return self._told(options)

    def _told(self, options: dict[str, Any]) -> tuple[Any, str]:
        told = _described(User.objects.get(username=options["name"]))
        return told, _line(told)


def _described(user: User) -> dict[str, Any]:
    return {
        "name": user.username,
        "email": user.email,
        "roles": sorted(group.name for group in user.groups.all()),
        "superuser": user.is_superuser,
        "active": user.is_active,
        "locked": is_locked(user, timezone.now()),
        "second_factor": has_second_factor(user),
    }


def _line(told: dict[str, Any]) -> str:
    what = [*told["roles"], *["superuser"] * told["superuser"]]
    closed = "" if told["active"] else " (closed)"
    closed += " (locked)" if told["locked"] else ""
    return f"{told['name']}{closed}: {', '.join(what) or 'no role'}"
