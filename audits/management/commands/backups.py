"""``manage.py backups``: the copies that still hold whoever was erased since."""

from __future__ import annotations

import json
from argparse import SUPPRESS
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from audits.queries.places import last_drill
from audits.services import registers
from lineage.core.place_settings import SettingRefused
from lineage.models import Backup

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    """List, add and close backups; the exit code of ``list`` is 1 while one is overdue."""

    help = "List the backups and those overdue; add one; note that one was destroyed or tried."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true")
        steps = parser.add_subparsers(dest="step")
        steps.add_parser("list", help="what is registered (the default)")
        add = steps.add_parser("add", help="register a backup")
        add.add_argument("name")
        add.add_argument("--made", type=_moment, metavar="YYYY-MM-DD", help="now, if not given")
        add.add_argument("--expires", type=_moment, metavar="YYYY-MM-DD", required=True)
        add.add_argument("--covers", required=True, help="such as database, store")
        add.add_argument("--note", default="")
        destroyed = steps.add_parser("destroyed", help="it was destroyed")
        drilled = steps.add_parser("drilled", help="it was restored and erasures replayed there")
        for step in (destroyed, drilled):
            step.add_argument("name")
        for step in steps.choices.values():
            step.add_argument("--json", action="store_true", default=SUPPRESS)

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  (Django's signature)
        """Do one step. Raises CommandError with a sentence, for an overdue backup too."""
        try:
            getattr(self, f"_{options['step'] or 'list'}")(options)
        except SettingRefused as error:
            raise CommandError(str(error)) from error
        except Backup.DoesNotExist as error:
            raise CommandError(f"There is no backup {options['name']!r}.") from error

    def _list(self, options: dict[str, Any]) -> None:
        now, drill = timezone.now(), last_drill()
        found = [_described(one, now) for one in Backup.objects.all()]
        if options["json"]:
            drilled = drill.isoformat() if drill else None
            self.stdout.write(json.dumps({"backups": found, "last_drill": drilled}, indent=2))
        else:
            for one in found:
                self.stdout.write(
                    f"{one['name']}: {one['covers']}, made {one['made_on']}, expires "
                    f"{one['expires_on']}, {one['state'].lower()}"
                )
            self.stdout.write(
                f"Last restore drill: {drill:%Y-%m-%d}." if drill else "No drill yet."
            )
        if late := [one["name"] for one in found if one["state"] == "OVERDUE"]:
            raise CommandError(f"Overdue, destroy them: {', '.join(late)}.")

    def _add(self, options: dict[str, Any]) -> None:
        now = timezone.now()
        made = registers.keep_backup(
            user=None,
            now=now,
            name=options["name"],
            made_at=options["made"] or now,
            expires_at=options["expires"],
            covers=options["covers"],
            note=options["note"],
        )
        self._say(options, _described(made, now), f"{made.name} is registered.")

    def _destroyed(self, options: dict[str, Any]) -> None:
        now = timezone.now()
        registers.destroy_backup(name=options["name"], user=None, now=now)
        told = _described(Backup.objects.get(name=options["name"]), now)
        self._say(options, told, f"{options['name']} is noted as destroyed.")

    def _drilled(self, options: dict[str, Any]) -> None:
        now = timezone.now()
        registers.note_drill(name=options["name"], user=None, now=now)
        told = {"name": options["name"], "last_drill": now.isoformat()}
        self._say(options, told, f"The drill with {options['name']} is noted.")

    def _say(self, options: dict[str, Any], told: dict[str, Any], words: str) -> None:
        self.stdout.write(json.dumps(told, indent=2) if options["json"] else words)


def _described(one: Backup, now: datetime) -> dict[str, Any]:
    late = one.destroyed_at is None and one.expires_at <= now
    return {
        "name": one.name,
        "covers": one.covers,
        "made_on": one.made_at.date().isoformat(),
        "expires_on": one.expires_at.date().isoformat(),
        "state": "DESTROYED" if one.destroyed_at else "OVERDUE" if late else "KEPT",
        "note": one.note,
    }


def _moment(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
