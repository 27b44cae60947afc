"""Import the demo's records and train its three versions through real jobs."""

from __future__ import annotations

import shutil
import uuid
from typing import TYPE_CHECKING

from django.utils import timezone

from audits import workflow
from config.demo.people import people, write_manifest
from lineage.core.bitmaps import union
from lineage.models import Dataset, DatasetSnapshot, ModelVersion
from lineage.queries import subjects
from lineage.services.importing import import_records
from lineage.services.manifest import read_manifest
from lineage.services.snapshots import take_snapshot

if TYPE_CHECKING:
    from pathlib import Path

    from pyroaring import BitMap

    from config.demo.people import Person
    from lineage.models import Job

DATASET = "demo-digits"
ALL, EVEN = "training people", "training people with an even number"
BASE, CHILD, OTHER = "digits-mlp", "digits-mlp-tuned", "digits-mlp-even"
SEED = 7
_RECIPES = "unlearning.recipes.digits"


def import_digits(folder: Path) -> Dataset:
    """Import the digits through the manifest reader, once."""
    manifest = write_manifest(folder)
    try:
        import_records(dataset_name=DATASET, rows=read_manifest(manifest), now=timezone.now())
    finally:
        shutil.rmtree(folder)  # what was imported is the only copy: an erasure must find it all
    return Dataset.objects.select_related("space").get(name=DATASET)


def snapshots(dataset: Dataset) -> tuple[DatasetSnapshot, DatasetSnapshot]:
    """Return the snapshot of everybody who trains, and the one of half of them."""
    everybody = [person for person in people(dataset.space.next_ordinal) if person.trains]
    even = [person for person in everybody if person.number % 2 == 0]
    return _snapshot(dataset, ALL, everybody), _snapshot(dataset, EVEN, even)


def _snapshot(dataset: Dataset, name: str, owners: list[Person]) -> DatasetSnapshot:
    known = DatasetSnapshot.objects.filter(dataset=dataset, selection_rule={"demo": name}).first()
    return known or take_snapshot(
        dataset=dataset,
        ordinals=union(_ordinals(dataset, person) for person in owners),
        rule={"demo": name},
        now=timezone.now(),
    )


def _ordinals(dataset: Dataset, person: Person) -> BitMap:
    subject = subjects.find_subject("EMAIL", person.email)
    if subject is None:
        raise LookupError(f"{person.email} was not imported into {dataset}.")
    return subjects.records_of(subject)[dataset.space]


def base_jobs(dataset: Dataset) -> list[Job]:
    """Ask for the base version, and for the one that never saw people with odd numbers."""
    everybody, even = snapshots(dataset)
    return [
        _train(BASE, f"{_RECIPES}:DigitsMLP", everybody),
        _train(OTHER, f"{_RECIPES}:DigitsMLP", even),
    ]


def train_everybody(dataset: Dataset) -> Job:
    """Ask for the base version alone."""
    return _train(BASE, f"{_RECIPES}:DigitsMLP", snapshots(dataset)[0])


def child_job(dataset: Dataset) -> Job:
    """Ask for the child: fine-tuned on the half without the person, so found through its base."""
    base = ModelVersion.objects.get(model_name=BASE, version=1)
    return _train(CHILD, f"{_RECIPES}:DigitsFineTune", snapshots(dataset)[1], base)


def _train(
    name: str, recipe: str, snapshot: DatasetSnapshot, base: ModelVersion | None = None
) -> Job:
    return workflow.train(
        key=f"train:{name}:1",
        payload_id=uuid.uuid5(snapshot.pk, name),
        parameters={
            "model_name": name,
            "recipe": recipe,
            "recipe_parameters": {},
            "snapshot": str(snapshot.pk),
            "base": None if base is None else str(base.pk),
            "seed": SEED,
        },
    )
