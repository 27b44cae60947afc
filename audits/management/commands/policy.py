"""``manage.py policy``: the policy values in force, and changes by two administrators."""

from __future__ import annotations

import json
from argparse import SUPPRESS
from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.core.management.base import BaseCommand, CommandError

from audits import workflow
from audits.queries.policy_page import changes_so_far, sections_in_force
from audits.queries.policy_values import held

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    """Show the values; propose, approve, return and withdraw changes; see docs/settings.md."""

    help = "Show the policy values in force; propose a change, approve it, or send it back."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the steps."""
        parser.add_argument("--json", action="store_true")
        steps = parser.add_subparsers(dest="step")
        show = steps.add_parser("show", help="every value and where it comes from (the default)")
        show.add_argument("--json", action="store_true", default=SUPPRESS)
        propose = steps.add_parser("propose", help="propose new values")
        propose.add_argument("values", nargs="+", metavar="KEY=VALUE")
        propose.add_argument(
            "--back", action="store_true", help="give keys (then without a value) back"
        )
        propose.add_argument("--reason", required=True)
        give_back = steps.add_parser("return", help="send a change back to whoever proposed it")
        give_back.add_argument("--note", required=True, help="what has to change")
        approve = steps.add_parser("approve", help="approve what somebody else proposed")
        withdraw = steps.add_parser("withdraw", help="take one's own proposal back")
        for step in (approve, give_back, withdraw):
            step.add_argument("number", type=int, help="of the change")
        for step in (propose, approve, give_back, withdraw):
            step.add_argument("--by", required=True, metavar="NAME", help="of the account")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  (Django's signature)
        """Do one step. Raises CommandError with a sentence."""
        step = options["step"] or "show"
        try:
            with held():
                self.stdout.write(getattr(self, f"_{step}")(options))
        except (ValueError, PermissionDenied) as error:
            raise CommandError(str(error)) from error

    def _show(self, options: dict[str, Any]) -> str:
        values = [value for _, _, found in sections_in_force() for value in found]
        if options["json"]:
            told = {one.key.name: {"value": one.text, "from": one.origin} for one in values}
            return json.dumps(told, indent=2)
        lines = [f"{one.key.name:24} {one.shown:28} {one.origin}" for one in values]
        for entry in changes_so_far():
            change = entry.change
            keys = ", ".join(row.key.name for row in entry.rows)
            lines.append(f"change {change.number}: {change.get_state_display().lower()}: {keys}")
        return "\n".join(lines)

    def _propose(self, options: dict[str, Any]) -> str:
        said: dict[str, str | None] = {}
        for word in options["values"]:
            name, given, text = word.partition("=")
            if bool(given) == options["back"]:
                raise ValueError(f"{word!r} is given; KEY=VALUE is needed, with --back KEY alone.")
            said[name] = text if given else None
        change = workflow.propose_policy(
            said=said, reason=options["reason"], user=_account(options["by"])
        )
        return f"Change {change.number} is proposed. Another administrator approves it."

    def _approve(self, options: dict[str, Any]) -> str:
        change = workflow.approve_policy(number=options["number"], user=_account(options["by"]))
        return f"Change {change.number} is in force as version {change.version}."

    def _return(self, options: dict[str, Any]) -> str:
        number, user = options["number"], _account(options["by"])
        workflow.return_policy(number=number, note=options["note"], user=user)
        return f"Change {number} is sent back."

    def _withdraw(self, options: dict[str, Any]) -> str:
        number = options["number"]
        workflow.withdraw_policy(number=number, user=_account(options["by"]))
        return f"Change {number} is withdrawn."


def _account(name: str) -> User:
    found = User.objects.filter(username=name).first()
    if found is None:
        raise ValueError(f"--by is {name!r}; there is no such account.")
    return found
