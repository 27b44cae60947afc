"""``manage.py retention``: of which closed cases it can still be told whose they were."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from audits.queries import retention
from audits.queries.clocks import today
from audits.services.retention import destroy_again

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Iterator

    from audits.models import CaseRetention


class Command(BaseCommand):
    """List what is due, what is kept longer and why, what waits, and what is destroyed."""

    help = (
        "List the closed cases whose time is over, those that are kept longer and why, those "
        "whose time has not come, and those whose identity was destroyed. The sweep destroys what "
        "is due and nothing postpones."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("--json", action="store_true", help="print one JSON object")

        parser.add_argument(
            "--restored",
            action="store_true",
            help="the key store was restored: destroy again what had been destroyed",
        )

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  (Django's signature)
        """Print the four lists."""
        if options["restored"]:
            count = destroy_again()
            self.stdout.write(f"{count} key(s) had come back and are destroyed again.")
            return
        found = listed()
        if options["json"]:
            proofs = {"proofs_not_destroyed": retention.proofs_left()}
            self.stdout.write(json.dumps(found | proofs, indent=2))
            return
        for line in lines_of(found):
            self.stdout.write(line)
        for reference in retention.proofs_left():
            self.stdout.write(f"Is the proof of identity in {reference} destroyed? Record it.")


def listed() -> dict[str, list[dict[str, Any]]]:
    """Return the rows of ``due``, ``kept_longer``, ``waiting`` and ``destroyed``."""
    day = today(timezone.now())
    found: dict[str, list[dict[str, Any]]] = {"due": [], "kept_longer": []}
    for one in retention.due(day):
        reasons = retention.why_kept(one.request)
        found["kept_longer" if reasons else "due"].append(_row(one, reasons))
    found["kept_longer"] += [_row(one, [one.longer_reason]) for one in retention.kept_longer(day)]
    found["waiting"] = [_row(one, []) for one in retention.waiting(day)]
    found["destroyed"] = [_row(one, []) for one in retention.destroyed()]
    return found


def lines_of(found: dict[str, list[dict[str, Any]]]) -> Iterator[str]:
    """Yield the lists as lines for a person."""
    titles = {
        "due": "Due, with the next sweep",
        "kept_longer": "Kept longer",
        "waiting": "Kept until their day",
        "destroyed": "Identity destroyed",
    }
    for name, title in titles.items():
        yield f"{title}: {len(found[name])}"
        for row in found[name]:
            why = f", {' and '.join(row['reasons'])}" if row["reasons"] else ""
            gone = f", destroyed {row['destroyed_at']}" if row["destroyed_at"] else ""
            yield f"  {row['reference']}  {row['outcome']}, until {row['until']}{why}{gone}"


def _row(one: CaseRetention, reasons: list[str]) -> dict[str, Any]:
    gone = one.key_destroyed_at
    return {
        "reference": one.request.reference,
        "case": str(one.pk),
        "outcome": one.request.outcome,
        "closed_on": one.closed_on.isoformat(),
        "until": one.ends_on.isoformat(),
        "reasons": reasons,
        "destroyed_at": gone.isoformat() if gone else None,
    }
