"""``manage.py log_proof INDEX|CASE``: a proof that an event, or each of a case, is in the log."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from audits.core.ledger import NotProven
from audits.key_files import SigningKeyMissing
from audits.queries import log_proofs
from audits.queries.log_tree import SubtreeMissing
from audits.services import log

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    """Write what somebody needs who checks one event against a checkpoint that they hold."""

    help = (
        "Print the C2SP tlog-proof of an event of the log, by its index; or, with --out, write "
        "event and proof, of all events of a case if its reference is given."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("what", help="an index from 0, or a reference such as ER-7K2M-9QXT")
        parser.add_argument("--out", type=Path, help="a folder that exists, for the files")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  (Django's signature)
        """Sign the log as it stands, and print or write the proofs under that checkpoint.

        Raises:
            CommandError: there is no such event, case or folder, or the log was altered.
        """
        what, out = options["what"], options["out"]
        indices = [int(what)] if what.isdecimal() else log_proofs.events_of(what)
        if not indices:
            raise CommandError(f"There is no case {what!r} with events in the log.")
        if out is None and not what.isdecimal():
            raise CommandError(f"Case {what} has several events; name a folder with --out.")
        if out is not None and not out.is_dir():
            raise CommandError(f"out is {str(out)!r}; it must be a folder that exists.")
        try:
            self._tell(indices, out)
        except (NotProven, SubtreeMissing) as error:
            raise CommandError(f"{error} Run manage.py fsck.") from error
        except (log_proofs.NotSignedYet, SigningKeyMissing) as error:
            raise CommandError(str(error)) from error

    def _tell(self, indices: list[int], out: Path | None) -> None:
        newest = log.checkpoint(now=timezone.now())
        for index in indices:
            proof = log_proofs.tlog_proof(index, newest)
            if out is None:
                self.stdout.write(proof, ending="")
                continue
            for ending, content in (
                ("json", log_proofs.event_bytes(index)),
                ("tlog-proof", proof.encode()),
            ):
                path = out / f"{index}.{ending}"
                path.write_bytes(content)
                self.stdout.write(str(path))
