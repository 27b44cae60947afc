"""One file of several records, one file in several data sets: nobody in it is missed."""

from __future__ import annotations

import itertools
import uuid
from importlib import import_module

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, transaction
from pyroaring import BitMap

from lineage import keys
from lineage.core.identifiers import location_digest
from lineage.models import ModelVersion, NamedLocation, RecordLocation, Run
from lineage.queries.closure import affected
from lineage.services.import_rows import Row
from lineage.services.importing import ensure_dataset, import_records
from lineage.services.purge import erase_records
from lineage.services.restriction import restrict
from tests.lineage.events import RUN, named, names, send, trained_on
from tests.lineage.triggers import Editor

pytestmark = [pytest.mark.django_db, pytest.mark.database]
SHARD = "s3://bucket/shard-0"
several = import_module("lineage.migrations.0009_several_records_at_one_location")


def shard(name, now, *, people=1, first=0):
    """Import a shard that holds a record of each of some people."""
    rows = [
        Row(
            line=at,
            key=f"k{at}",
            subject=f"p{at}@example.org",
            content=b"x%d" % at,
            location=SHARD,
        )
        for at in range(first, first + people)
    ]
    assert import_records(dataset_name=name, rows=rows, now=now).imported == people
    return ensure_dataset(name=name).space


def hit(space, ordinal):
    return names(affected(space, BitMap([ordinal])))


def test_every_record_of_a_shard_is_found_by_its_location(now):
    space = shard("faces", now, people=3)
    send(trained_on(named("faces", files=[SHARD])), now=now)
    assert [hit(space, ordinal) for ordinal in range(3)] == [["m v1"]] * 3


ACTS = ("event", "faces", "voices", "more faces")


@pytest.mark.parametrize("order", list(itertools.permutations(ACTS)))
def test_whichever_of_events_and_imports_comes_first_all_records_are_found(now, order):
    act = {
        "event": lambda: send(trained_on(named("faces", files=[SHARD])), now=now),
        "faces": lambda: shard("faces", now, people=2),
        "voices": lambda: shard("voices", now),
        "more faces": lambda: shard("faces", now, first=5),
    }
    for one in order:
        act[one]()
    found = {
        (name, ordinal): hit(ensure_dataset(name=name).space, ordinal)
        for name, ordinal in [("faces", 0), ("faces", 1), ("faces", 2), ("voices", 0)]
    }
    assert set(map(tuple, found.values())) == {("m v1",)}
    assert Run.objects.get().capture_level == "REPORTED"
    assert not NamedLocation.objects.filter(due=True).exists()


def test_a_version_of_a_restricted_record_that_is_imported_again_elsewhere_is_withdrawn(now):
    shard("faces", now)
    send(trained_on(named("faces", files=[SHARD])), now=now)
    space = ensure_dataset(name="voices").space
    shard("voices", now)
    assert ModelVersion.objects.get().state == "ACTIVE"
    restrict(case_id=RUN, space=space, ordinals=BitMap([0]), now=now)
    send(trained_on(named("faces", files=[SHARD]), run=uuid.UUID(int=5), name="n"), now=now)
    assert ModelVersion.objects.get(model_name="n").state == "WITHDRAWN"


@pytest.mark.parametrize("hard", [False, True])
def test_the_erasure_of_one_record_of_a_shard_forgets_only_where_that_one_lay(now, hard):
    space = shard("faces", now, people=2)
    send(trained_on(named("faces", files=[SHARD])), now=now)
    erase_records(case_id=RUN, space=space, ordinals=BitMap([0]), now=now, hard=hard)
    assert list(RecordLocation.objects.values_list("ordinal", flat=True)) == [1]
    other = shard("voices", now)  # the other still lies there, so the name is still matched
    assert (hit(space, 1), hit(other, 0)) == (["m v1"], ["m v1"])
    erase_records(case_id=uuid.UUID(int=3), space=space, ordinals=BitMap([1]), now=now, hard=hard)
    erase_records(case_id=uuid.UUID(int=4), space=other, ordinals=BitMap([0]), now=now, hard=hard)
    digest = location_digest(keys.get_or_create("location"), SHARD)
    assert not NamedLocation.objects.filter(digest=digest).exists()
    assert not RecordLocation.objects.exists()


def test_the_migration_can_be_taken_back_and_keeps_the_first_record_of_a_place(now):
    space = shard("faces", now, people=3)
    connection.check_constraints()  # PostgreSQL alters no table with checks that are due
    several.narrow(apps, Editor())
    assert list(RecordLocation.objects.values_list("ordinal", flat=True)) == [0]
    digest = RecordLocation.objects.get().digest
    second = RecordLocation(space=space, ordinal=1, digest=digest)
    with pytest.raises(IntegrityError), transaction.atomic():
        RecordLocation.objects.bulk_create([second])
    several.widen(apps, Editor())
    RecordLocation.objects.bulk_create([second])
    assert list(RecordLocation.objects.values_list("ordinal", flat=True)) == [0, 1]
