"""Erase again, after a restore, what was erased since the backup was made."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from audits.services.replayed_places import cases_to_ask, erase_again
from audits.services.replaying import replay_erasures
from lineage.queries.locations import active_locations
from lineage.services.journal import rebuild_journal
from lineage.services.missing_erasures import journal_lost

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from audits.services.replayed_places import AskedAgain


class Command(BaseCommand):
    """``manage.py replay_erasures [--json]``."""

    help = (
        "Erase again what the journal of erasures names and this database, or a registered place, "
        "holds. Run it after restoring a backup: until then the site and the workers refuse to "
        "serve."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("--json", action="store_true", help="print what was done as JSON")
        parser.add_argument(
            "--new-journal",
            action="store_true",
            help="the journal is lost for good: write one from what this database knows",
        )

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  (Django's signature)
        """Replay, and end with an error if something can still be found.

        Raises:
            CommandError: there is no journal, or records remain.
        """
        self._need_journal(anew=options["new_journal"])
        case_ids = cases_to_ask()
        done = replay_erasures(now=timezone.now())
        asked = erase_again(case_ids=case_ids, now=timezone.now())
        names = sorted({str(version) for one in done for version in one.quarantined})
        records = sum(one.records for one in done)
        remaining = sum(one.remaining for one in done)
        if options["json"]:
            found = {"entries": len(done), "records": records, "remaining": remaining}
            told = {**found, "quarantined": names, "places": _places(asked)}
            self.stdout.write(json.dumps(told))
        elif not done:
            self.stdout.write("Nothing to replay: the database knows every erasure.")
        else:
            self.stdout.write(
                f"Replayed {len(done)} erasures of {records} records. "
                f"Quarantined versions: {', '.join(names) or 'none'}."
            )
        if not options["json"]:
            self._tell_places(asked)
        if remaining:
            raise CommandError(
                f"{remaining} records can still be found. Check that the store is writable, "
                "then run this again."
            )
        if asked.stuck:
            raise CommandError(
                " ".join(f"{reference}: {sentence}" for reference, sentence in asked.stuck)
                + " Then run this again."
            )

    def _tell_places(self, asked: AskedAgain) -> None:
        for reference, place, result in asked.erased:
            self.stdout.write(f"{reference}, {place}: {result.replace('_', ' ').lower()}.")
        if asked.by_hand:
            self.stdout.write(
                f"Of {len(asked.by_hand)} erasures this database does not know whom they were "
                f"about, or what was to be kept: cases {', '.join(asked.by_hand)}. If one of "
                f"these places was restored, too, erase there from your own list: "
                f"{', '.join(_slugs())}."
            )

    def _need_journal(self, *, anew: bool) -> None:
        path = settings.EXPUNGE_JOURNAL
        lost = journal_lost()
        if anew and path.exists() and not lost:
            raise CommandError(f"There is a whole journal at {path}; leave out --new-journal.")
        if anew:
            self.stderr.write(f"Wrote {rebuild_journal()} lines to the journal at {path}.")
        elif lost or not path.exists():
            raise CommandError(
                f"There is no journal at {path}, or not the one that names the erasures of this "
                "database. If there were erasures, bring it back from where "
                "it is kept (EXPUNGE_JOURNAL); if none ever was, there is nothing to replay. If "
                "it is lost for good, --new-journal starts one from the erasures that this "
                "database knows: people erased after the backup stay, unless you erase them."
            )


def _slugs() -> list[str]:
    return list(active_locations().values_list("slug", flat=True))


def _places(asked: AskedAgain) -> dict[str, Any]:
    erased = [{"case": case, "place": slug, "result": how} for case, slug, how in asked.erased]
    stuck = [{"case": case, "why": sentence} for case, sentence in asked.stuck]
    by_hand = [{"case": case, "places": _slugs()} for case in asked.by_hand]
    return {"erased": erased, "stuck": stuck, "by_hand": by_hand}
