"""``manage.py label_conflicts DATASET``: stored records that are alike under two targets."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from lineage.models import Dataset
from lineage.queries.label_conflicts import TooManyPictures, stored_conflicts

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    """Name the records, so that somebody looks at their targets."""

    help = (
        "List the records of a data set that have the content of another one, or are pictures "
        "close to it, and have another target. Records that are restricted or erased are left out."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("dataset")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  (Django's signature)
        """Print a line per pair.

        Raises:
            CommandError: there is no such data set, or its pictures are too many.
        """
        dataset = Dataset.objects.select_related("space").filter(name=options["dataset"]).first()
        if dataset is None:
            known = ", ".join(Dataset.objects.values_list("name", flat=True)) or "none yet"
            raise CommandError(f"There is no data set {options['dataset']!r}; there is: {known}.")
        found = stored_conflicts(
            dataset.space,
            threshold=settings.EXPUNGE_LABEL_CONFLICT_DISTANCE,
            most=settings.EXPUNGE_LABEL_CONFLICT_RECORDS,
        )
        count = 0
        try:
            for count, pair in enumerate(found, start=1):  # noqa: B007  (read afterwards)
                self._print(pair.ordinal, pair.other, pair.distance, as_json=options["json"])
        except TooManyPictures as problem:
            raise CommandError(f"Only equal contents were compared. {problem}") from problem
        if not options["json"]:
            self.stdout.write(f"{count} pairs are alike under two targets.")

    def _print(self, ordinal: int, other: int, distance: float, *, as_json: bool) -> None:
        if as_json:
            line = {"record": ordinal, "other": other, "distance": distance}
            self.stdout.write(json.dumps(line))
        else:
            how = f"distance {distance:.3f}" if distance else "the same bytes"
            self.stdout.write(f"Record {ordinal} and record {other}: {how}, two targets.")
