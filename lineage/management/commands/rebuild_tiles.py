"""Build the membership tiles anew."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from tqdm import tqdm

from lineage.core.bitmaps import ChunkAltered
from lineage.core.tiles import GROUP
from lineage.models import OrdinalSpace
from lineage.services.tiles import build_group

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    """``manage.py rebuild_tiles [--space NAME]``."""

    help = (
        "Build the tiles that answer which snapshots hold a record, from the chunks, which are "
        "the truth. Needed only after fsck found a damaged tile; it is safe at any time."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("--space", help="name of one space; all are rebuilt if not given")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  (Django's signature)
        """Build every group of every space asked for. Raises CommandError."""
        spaces = OrdinalSpace.objects.order_by("name")
        if options["space"]:
            spaces = spaces.filter(name=options["space"])
            if not spaces.exists():
                known = ", ".join(OrdinalSpace.objects.values_list("name", flat=True)) or "none"
                raise CommandError(f"There is no space {options['space']!r}; there are: {known}.")
        for space in spaces:
            self._space(space)

    def _space(self, space: OrdinalSpace) -> None:
        written = 0
        for group in range(-(-space.next_seq // GROUP)):
            with tqdm(desc=f"{space.name}, group {group}", unit="chunk", disable=None) as bar:

                def told(done: int, total: int, bar: tqdm = bar) -> None:
                    bar.total = total
                    bar.update(done - bar.n)

                try:
                    written += build_group(
                        space=space, group=group, now=timezone.now(), progress=told
                    )
                except ChunkAltered as error:
                    raise CommandError(str(error)) from error
        self.stdout.write(f"{space.name}: {written:,} tiles over {space.next_seq:,} snapshots.")
