"""Very many people, records and model versions, written in bulk. Import it once Django is set up.

People and records go in as the importer writes them, with keys in the key store; snapshots,
versions and their edges by the services themselves. The records are known for lineage alone: their
contents are stored nowhere, as after an import of a manifest.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
from django.db import transaction
from pyroaring import BitMap

from lineage import keys
from lineage.core.bitmaps import from_mask
from lineage.core.identifiers import EMAIL, lookup_digest
from lineage.models import Deployment, ModelVersion, OrdinalSpace, Role, Run
from lineage.services.bulk import insert_records
from lineage.services.importing import ensure_dataset
from lineage.services.runs import Input, RunPlan, RunResult, begin_run, finish_run
from lineage.services.snapshots import take_snapshot
from lineage.services.subjects import ensure_subjects
from lineage.services.tiles import build_group

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from lineage.models import Dataset, DatasetSnapshot, DataSubject

EACH = 10  # records of one person
AT_ONCE = 5_000
DATASETS = ("faces", "voices", "letters", "purchases")
SHARES = (0.5, 0.25, 0.15, 0.1)
FAMILY = 25  # versions of one model; every second one is what an unlearning run left
RETRAINED = 4  # versions on one snapshot, before the next is taken
BLIND = 0.01  # share of versions of which nobody knows what they learned from
SEED = 9


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody, and the first of their consecutive records."""

    subject: DataSubject
    email: str
    space: OrdinalSpace
    first: int

    @property
    def ordinals(self) -> BitMap:
        """All their records."""
        return BitMap(range(self.first, self.first + EACH))


@dataclass(kw_only=True)
class Registry:
    """What lineage holds.

    ``pairs`` are a version and the one that unlearning made of it, by the place of their space in
    ``datasets``.
    """

    datasets: list[Dataset] = field(default_factory=list)
    people: list[Person] = field(default_factory=list)
    pairs: list[list[tuple[ModelVersion, ModelVersion]]] = field(default_factory=list)
    versions: list[ModelVersion] = field(default_factory=list)

    def pairs_of(self, space: OrdinalSpace) -> list[tuple[ModelVersion, ModelVersion]]:
        """Return the pairs of the models that learn from one space."""
        return self.pairs[[one.space_id for one in self.datasets].index(space.pk)]


def fill_lineage(*, records: int, versions: int, now: datetime) -> Registry:
    """Write so many records, ten a person, and so many versions; then the tiles."""
    made = Registry()
    for name, share in zip(DATASETS, SHARES, strict=True):
        dataset = ensure_dataset(name=name)
        made.datasets.append(dataset)
        made.people += _people(dataset, int(records * share) // EACH, now)
    for place, share in enumerate(SHARES):
        _models(made, place, max(2, round(versions * share)), now)
    _retire(made, now)
    for dataset in made.datasets:
        space = OrdinalSpace.objects.get(pk=dataset.space_id)
        for group in range(-(-space.next_seq // 1024)):
            build_group(space=space, group=group, now=now)
    return made


def email_of(dataset: str, number: int) -> str:
    """Return the address of one of the people of a data set."""
    return f"{dataset}.{number}@example.org"


def _people(dataset: Dataset, count: int, now: datetime) -> Iterator[Person]:
    """Register people and their records, and yield them."""
    space, lookup = dataset.space, keys.get_or_create("lookup")
    numbers = iter(range(count))
    while some := list(islice(numbers, AT_ONCE)):
        emails = [email_of(dataset.name, number) for number in some]
        digests = [(EMAIL, lookup_digest(lookup, EMAIL, one)) for one in emails]
        found = ensure_subjects(digests=digests, now=now - timedelta(days=800))
        subjects = [found[one] for one in digests]
        first = some[0] * EACH
        with transaction.atomic():
            insert_records(
                space.pk,
                first,
                (
                    (subject.pk, hmac.digest(lookup, f"{subject.pk}/{at}".encode(), "md5"))
                    for subject in subjects
                    for at in range(EACH)
                ),
                now - timedelta(days=800),
            )
            OrdinalSpace.objects.filter(pk=space.pk).update(next_ordinal=(some[-1] + 1) * EACH)
        for place, (subject, email) in enumerate(zip(subjects, emails, strict=True)):
            yield Person(subject=subject, email=email, space=space, first=first + place * EACH)


def _models(made: Registry, place: int, count: int, now: datetime) -> None:
    """Train the versions of one data set, in families, each on a later state of it."""
    dataset = ensure_dataset(name=made.datasets[place].name)
    drawn = np.random.default_rng([SEED, place])
    alive = drawn.random(dataset.space.next_ordinal) < 0.9  # noqa: PLR2004  (a tenth is held out)
    pairs: list[tuple[ModelVersion, ModelVersion]] = []
    last: dict[str, ModelVersion] = {}
    snapshot: DatasetSnapshot | None = None
    families = -(-count // FAMILY)
    for at in range(count):
        moment = now - timedelta(days=700 * (count - at) / count)
        if snapshot is None or at % RETRAINED == 0:
            alive[drawn.integers(0, len(alive), len(alive) // 5_000)] = False
            snapshot = take_snapshot(dataset=dataset, ordinals=from_mask(alive), now=moment)
        name = f"{dataset.name}-{at % families}"
        before = last.get(name)
        made_by_unlearning = before is not None and (at // families) % 2 == 1
        blind = drawn.random() < BLIND
        last[name] = _version(
            name, snapshot, before, unlearn=made_by_unlearning, blind=blind, at=moment
        )
        made.versions.append(last[name])
        if before is not None and made_by_unlearning:
            pairs.append((before, last[name]))
    made.pairs.append(pairs)


def _version(
    name: str,
    snapshot: DatasetSnapshot,
    before: ModelVersion | None,
    *,
    unlearn: bool,
    blind: bool,
    at: datetime,
) -> ModelVersion:
    """Return a version that a service wrote: trained, or made from the one before."""
    inputs = () if blind else (Input(source=snapshot),)
    more: dict[str, Any] = {}
    if before is not None and unlearn:
        inputs = (*inputs, Input(source=before, role=Role.BASE_MODEL))
        more = {"revision_of": before, "guarantee": "APPROXIMATE"}
    plan = RunPlan(
        activity=Run.Activity.UNLEARN if unlearn else Run.Activity.TRAIN,
        inputs=inputs,
        procedure=f"train {name}",
        recipe="unlearning.recipes.digits:DigitsMLP",
        recipe_parameters={"hidden": 64, "epochs": 20},
    )
    weights = f"weights of {name} at {at.isoformat()}".encode()
    result = RunResult(
        model_name=name, weights=weights, metrics={"accuracy": 0.93}, seconds=90.0, **more
    )
    return finish_run(run=begin_run(plan=plan, now=at), result=result, now=at)


def _retire(made: Registry, now: datetime) -> None:
    """Leave the newest version of each model in use, deployed at two places; retire the rest."""
    newest = {one.model_name: one for one in made.versions}
    older = [one.pk for one in made.versions if newest[one.model_name] != one]
    gone = {"state": ModelVersion.State.WITHDRAWN, "invalidated_at": now}
    ModelVersion.objects.filter(pk__in=older).update(**gone)
    Deployment.objects.bulk_create(
        Deployment(
            version=one,
            model_name=one.model_name,
            place=f"{kind.lower()} of {one.model_name}",
            kind=kind,
            deployed_at=now - timedelta(days=20),
        )
        for one in newest.values()
        for kind in (Deployment.Kind.ENDPOINT, Deployment.Kind.BATCH)
    )
