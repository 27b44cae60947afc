"""``manage.py take_snapshot DATASET``: fix which records a data set holds now."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from lineage.core.bitmaps import union
from lineage.models import Dataset
from lineage.queries import subjects
from lineage.queries.availability import usable_ordinals
from lineage.services.snapshots import take_snapshot

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from pyroaring import BitMap


class Command(BaseCommand):
    """Take a snapshot of every usable record, or of all but some people's."""

    help = "Take a snapshot of a data set and print its id."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("dataset")
        parser.add_argument(
            "--without", metavar="EMAIL", nargs="*", default=[], help="leave these people out"
        )
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  (Django's signature)
        dataset = Dataset.objects.select_related("space").filter(name=options["dataset"]).first()
        if dataset is None:
            known = ", ".join(Dataset.objects.values_list("name", flat=True)) or "none yet"
            raise CommandError(f"There is no data set {options['dataset']!r}; there is: {known}.")
        left_out = union(_records(dataset, email) for email in options["without"])
        snapshot = take_snapshot(
            dataset=dataset,
            ordinals=usable_ordinals(dataset.space) - left_out,
            rule={"left_out": len(left_out)} if left_out else {},
            now=timezone.now(),
        )
        found = {
            "snapshot": str(snapshot.pk),
            "records": snapshot.record_count,
            "digest": snapshot.digest,
        }
        self.stdout.write(json.dumps(found) if options["json"] else str(snapshot.pk))


def _records(dataset: Dataset, email: str) -> BitMap:
    subject = subjects.find_subject("EMAIL", email)
    held = subjects.records_of(subject) if subject else {}
    if dataset.space not in held:
        raise CommandError(f"--without names {email!r}, of whom {dataset} has no records.")
    return held[dataset.space]
