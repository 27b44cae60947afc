"""``manage.py fsck``: the log against what was signed, membership, and what erasures left."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from audits import keys
from audits.models import ErasureRequest
from audits.queries.anchors import AnchorDamaged, check_anchors
from audits.queries.footprint import CLOSED, footprint
from audits.queries.log_check import LogDamaged, check_log
from audits.services.log_checks import note_log_checked
from lineage.core.bitmaps import ChunkAltered
from lineage.core.record_map import MapAltered
from lineage.core.tiles import TileAltered
from lineage.queries.membership import SnapshotAltered
from lineage.queries.membership_check import check_membership
from unlearning.queries.canaries import forsaken, lost


class Command(BaseCommand):
    """Rebuild the tree of the log and every snapshot; name the first place that is wrong."""

    help = (
        "Check every event of the log, every checkpoint and every sealed record; then every "
        "snapshot of every data set and the tiles made from them; then that nothing derives "
        "from what closed cases erased. "
        "The exit code is 0 if all is whole and 1 otherwise."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take whether the result goes into the log."""
        parser.add_argument(
            "--note",
            action="store_true",
            help="write into the log that all was found whole; later records say when that was",
        )

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  (Django's signature)
        """Check the log and the membership, and end with an error at the first bad place.

        Raises:
            CommandError: something is damaged, or there is no public key; the exit code is 1.
        """
        try:
            found = check_log(vkey=keys.verifier_text())
        except LogDamaged as damage:
            raise CommandError(f"First bad index: {damage.index}. {damage}") from damage
        except (OSError, ValueError) as error:
            raise CommandError(f"The public key of the log cannot be read: {error}") from error
        self.stdout.write(
            f"The log is whole: {found.events} events, {found.checkpoints} checkpoints and "
            f"{found.records} sealed records agree."
        )
        self._anchors()
        self._membership()
        self._canaries()
        self._footprints()
        if options["note"]:
            note_log_checked(found=found, now=timezone.now())
            self.stdout.write("The log says so from now on.")

    def _anchors(self) -> None:
        try:
            found = check_anchors()
        except (AnchorDamaged, OSError) as damage:
            raise CommandError(str(damage)) from damage
        for sentence in found.sentences:
            self.stdout.write(sentence)

    def _membership(self) -> None:
        try:
            found = check_membership()
        except (ChunkAltered, SnapshotAltered, TileAltered) as damage:
            raise CommandError(str(damage)) from damage
        self.stdout.write(
            f"Membership is whole: {found.snapshots} snapshots and {found.tiles} tiles agree with "
            "their digests."
        )

    def _canaries(self) -> None:
        if left := forsaken():
            raise CommandError(
                f"The secrets of {len(left)} planting(s) of canaries are stored, and no version "
                f"with these canaries is left. The next sweep destroys them."
            )
        if gone := lost():
            raise CommandError(
                f"The secrets of {len(gone)} planting(s) of canaries are gone, and versions with "
                f"these canaries are left. They cannot be unlearned; retrain them anew."
            )
        self.stdout.write("The secrets of canaries are those of versions that have them.")

    def _footprints(self) -> None:
        closed = ErasureRequest.objects.filter(status__in=CLOSED).order_by("received_at")
        try:
            left = [
                f"{case.reference}: {sentence}"
                for case in closed
                for sentence in footprint(case, now=timezone.now()).left
            ]
        except MapAltered as damage:
            raise CommandError(str(damage)) from damage
        if left:
            raise CommandError("Closed cases left something behind.\n" + "\n".join(left))
        self.stdout.write(f"Nothing is left of the records of {closed.count()} closed cases.")
