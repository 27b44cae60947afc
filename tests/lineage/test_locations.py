"""One file of several records, one file in several data sets: nobody in it is missed."""

from __future__ import annotations

import itertools
import uuid
from base64 import b64decode
from dataclasses import replace
from importlib import import_module

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, transaction
from pyroaring import BitMap

from lineage import keys
from lineage.core.bitmaps import decode
from lineage.core.identifiers import location_digest
from lineage.models import ModelVersion, NamedLocation, ReceivedEvent, RecordLocation, Run
from lineage.queries.closure import affected
from lineage.queries.membership import holding_of
from lineage.services import import_rows, importing
from lineage.services.import_rows import Row
from lineage.services.importing import ensure_dataset, import_records
from lineage.services.purge import erase_records
from lineage.services.restriction import restrict
from tests.lineage.builders import filled
from tests.lineage.events import RUN, named, names, send, trained_on
from tests.lineage.triggers import Editor

pytestmark = [pytest.mark.django_db, pytest.mark.database]
SHARD = "s3://bucket/shard-0"
several = import_module("lineage.migrations.0009_several_records_at_one_location")


def row(at, location=SHARD):
    return Row(
        line=at, key=f"k{at}", subject=f"p{at}@example.org", content=b"x%d" % at, location=location
    )


def shard(name, now, *, people=1, first=0):
    """Import a shard that holds a record of each of some people."""
    rows = [row(at) for at in range(first, first + people)]
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


# --- rows that come again with a location --------------------------------------------------------


@pytest.mark.parametrize("event_first", [True, False])
@pytest.mark.parametrize("content", [b"x0", None])
def test_a_row_that_comes_again_with_a_location_is_found_by_it(now, event_first, content):
    """Another record lies there as well, so nothing is left unmatched."""
    told, again, other = (
        replace(row(number, location=at), content=content)
        for number, at in ((0, ""), (0, SHARD), (1, SHARD))
    )
    import_records(dataset_name="faces", rows=[told, other], now=now)
    if event_first:
        send(trained_on(named("faces", files=[SHARD])), now=now)
    reports = [import_records(dataset_name="faces", rows=[again], now=now) for _ in range(2)]
    assert [(one.imported, one.repeated, one.located) for one in reports] == [(0, 1, 1), (0, 1, 0)]
    if not event_first:
        send(trained_on(named("faces", files=[SHARD])), now=now)
    space = ensure_dataset(name="faces").space
    assert hit(space, 0) == hit(space, 1) == ["m v1"]
    assert space.next_ordinal == 2


def test_a_row_that_comes_twice_in_one_import_keeps_both_locations(now):
    rows = [row(0), row(0, location="s3://bucket/copy"), row(0, location="s3://bucket/copy")]
    report = import_records(dataset_name="faces", rows=rows, now=now)
    assert (report.imported, report.repeated, report.located) == (1, 2, 1)
    send(trained_on(named("faces", files=["s3://bucket/copy"])), now=now)
    assert hit(ensure_dataset(name="faces").space, 0) == ["m v1"]


def test_a_refused_row_brings_no_location(now):
    shard("faces", now)
    changed = replace(row(0, location="s3://bucket/copy"), content=b"another")
    report = import_records(dataset_name="faces", rows=[changed], now=now)
    assert (len(report.rejected), report.located) == (1, 0)
    assert RecordLocation.objects.count() == 1


def test_a_version_that_a_later_location_ties_to_a_restricted_record_is_withdrawn(now):
    import_records(dataset_name="faces", rows=[row(0, location=""), row(1)], now=now)
    send(trained_on(named("faces", files=[SHARD])), now=now)
    space = ensure_dataset(name="faces").space
    restrict(case_id=RUN, space=space, ordinals=BitMap([0]), now=now)
    import_records(dataset_name="faces", rows=[row(0)], now=now)
    assert ModelVersion.objects.get().state == "WITHDRAWN"


# --- a hard purge of what lies at a location -----------------------------------------------------


def left_of(space, ordinal):
    """The snapshots that hold a record, and the events that name it."""
    told = [
        part
        for event in ReceivedEvent.objects.all()
        for kept in event.body["inputs"]
        for part in kept["members"]
        if part["space"] == space.id and ordinal in decode(b64decode(part["ordinals"]))
    ]
    return [held for held in holding_of(space, BitMap([ordinal])).values() if held], told


def erase_hard(space, ordinal, now):
    erase_records(case_id=RUN, space=space, ordinals=BitMap([ordinal]), now=now, hard=True)


def unmatched(monkeypatch, name, now, *, first):
    """Import as if the process had died before it matched."""
    with monkeypatch.context() as dying:
        dying.setattr(importing, "match_late", lambda **_: 0)
        return shard(name, now, first=first)


@pytest.mark.parametrize("gone", [0, 1])
def test_no_event_that_waits_to_be_matched_brings_a_hard_purged_bit_back(now, monkeypatch, gone):
    space = shard("faces", now)
    send(trained_on(named("faces", files=[SHARD])), now=now)
    unmatched(monkeypatch, "faces", now, first=1)
    erase_hard(space, gone, now)
    assert left_of(space, gone) == ([], [])
    assert hit(space, gone) == hit(space, 1 - gone) == ["m v1"]
    assert ModelVersion.objects.get().state == "QUARANTINED"


def test_a_record_that_an_event_is_told_of_by_its_hard_purge_still_acts_on_the_model(
    now, monkeypatch
):
    filled("faces", 1, now)
    send(trained_on(named("faces", files=[SHARD])), now=now)
    space = unmatched(monkeypatch, "faces", now, first=1)
    erase_hard(space, 1, now)
    assert left_of(space, 1) == ([], [])
    assert hit(space, 1) == ["m v1"]
    assert ModelVersion.objects.get().state == "QUARANTINED"


def test_a_hard_purge_in_the_midst_of_an_import_leaves_no_bit(now, monkeypatch):
    space = shard("faces", now)
    send(trained_on(named("faces", files=[SHARD])), now=now)
    monkeypatch.setattr(import_rows, "_ROWS", 1)
    import_records(
        dataset_name="faces",
        rows=[row(1), row(2)],
        now=now,
        progress=lambda report: erase_hard(space, 0, now) if report.imported == 1 else None,
    )
    assert left_of(space, 0) == ([], [])
    assert [hit(space, ordinal) for ordinal in range(3)] == [["m v1"]] * 3
