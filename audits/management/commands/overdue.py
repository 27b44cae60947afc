"""``manage.py overdue``: what is late, answers and backups, for a person or a watcher."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from audits.queries import clocks
from lineage.queries.locations import overdue_backups

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Iterable


class Command(BaseCommand):
    """List what is overdue, and what was answered too late."""

    help = (
        "List the cases whose answer is overdue, the backups that should have been destroyed and, "
        "with --answered, the answers that were sent too late. The exit code is 1 if an answer or "
        "a backup is overdue."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("--json", action="store_true", help="print one JSON object")
        parser.add_argument(
            "--answered", action="store_true", help="list the answers that were sent too late, too"
        )

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  (Django's signature)
        """Print the lists.

        Raises:
            CommandError: an answer or a backup is overdue; the exit code is 1.
        """
        found, kept = overdue_rows(), backup_rows()
        late = answered_rows() if options["answered"] else None
        if options["json"]:
            answered = {} if late is None else {"answered_late": late}
            self.stdout.write(
                json.dumps({"overdue": found, "backups": kept, **answered}, indent=2)
            )
        else:
            for line in lines_of(found, kept, late or []):
                self.stdout.write(line)
        if found or kept:
            raise CommandError(f"{len(found)} answer(s) and {len(kept)} backup(s) overdue.")


def overdue_rows() -> list[dict[str, Any]]:
    """Return the overdue cases by reference, the latest first."""
    today = clocks.today(timezone.now())
    return [
        {
            "reference": case.reference,
            "case": str(case.pk),
            "status": case.status,
            "due_on": case.due_on.isoformat(),
            "days": (today - case.due_on).days,
        }
        for case in clocks.overdue(today)
        if case.due_on is not None
    ]


def backup_rows() -> list[dict[str, Any]]:
    """Return the backups that should have been destroyed, the first to expire first."""
    return [
        {"backup": one.name, "expired_on": one.expires_at.date().isoformat()}
        for one in overdue_backups(timezone.now())
    ]


def answered_rows() -> list[dict[str, Any]]:
    """Return the answers that were sent after they were due."""
    return [
        {
            "reference": one.reference,
            "due_on": one.due_on.isoformat(),
            "answered_on": one.answered_on.isoformat(),
        }
        for one in clocks.answered_late()
    ]


def lines_of(
    found: Iterable[dict[str, Any]],
    kept: Iterable[dict[str, Any]],
    late: Iterable[dict[str, Any]],
) -> list[str]:
    """Return the lists as lines for a person."""
    lines = [
        f"{one['reference']}  due {one['due_on']}, {one['days']} day(s) ago, {one['status']}"
        for one in found
    ] or ["No answer is overdue."]
    lines += [
        f"Backup {one['backup']}  expired {one['expired_on']}, not destroyed" for one in kept
    ]
    lines += [
        f"{one['reference']}  due {one['due_on']}, answered on {one['answered_on']}"
        for one in late
    ]
    return lines
