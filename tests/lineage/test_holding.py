"""A row that is like one of another target is stored, held back, and released or dropped."""

from __future__ import annotations

import pytest
from pyroaring import BitMap

from lineage.models import DataRecord, LabelConflict, LineagePurge, RecordContent
from lineage.queries.availability import purged_ordinals, restricted_ordinals, usable_ordinals
from lineage.services import holding, purge
from lineage.services.holding import NotHeld
from lineage.services.importing import Row, ensure_dataset, import_records
from lineage.services.journal import read_journal

pytestmark = pytest.mark.django_db


@pytest.fixture
def hold(settings):
    settings.EXPUNGE_LABEL_CONFLICTS = "HOLD"


def row(line, content, target, subject=""):
    return Row(
        line=line,
        key=f"key {line}",
        subject=subject or f"person{line}@example.org",
        content=content,
        target=target,
        media_type="text/plain",
    )


@pytest.fixture
def taken(now):
    """Ordinals 0 to 3: an honest row, its like under another target, one of the line, another."""
    rows = [row(1, b"a", "cat"), row(2, b"a", "dog"), row(3, b"b", "cat"), row(4, b"a", "pig")]
    report = import_records(dataset_name="faces", rows=rows, now=now)
    return report, ensure_dataset(name="faces").space


def held(space):
    rows = LabelConflict.objects.filter(space=space).order_by("ordinal")
    return [(one.ordinal, one.other_ordinal, one.state) for one in rows]


@pytest.mark.usefixtures("hold")
def test_whoever_comes_second_is_stored_and_no_training_is_given_it(taken):
    report, space = taken
    assert (report.imported, report.held, report.conflicting) == (4, 2, 2)
    assert report.rejected == ()
    assert held(space) == [(1, 0, "HELD"), (3, 0, "HELD")]
    assert usable_ordinals(space) == BitMap([0, 2])
    assert RecordContent.objects.filter(space=space).count() == 4


def test_where_nothing_is_held_what_came_in_is_known_all_the_same(taken):
    report, space = taken
    assert (report.imported, report.held, report.conflicting) == (4, 0, 2)
    assert held(space) == [(1, 0, "KEPT"), (3, 0, "KEPT")]
    assert usable_ordinals(space) == BitMap(range(4))


@pytest.mark.usefixtures("hold")
def test_a_row_that_is_imported_again_is_held_once(taken, now):
    _, space = taken
    again = import_records(dataset_name="faces", rows=[row(2, b"a", "dog")], now=now)
    assert (again.imported, again.repeated, again.held) == (0, 1, 0)
    assert len(held(space)) == 2


@pytest.mark.usefixtures("hold")
def test_a_released_record_is_used_and_the_others_stay_held(taken):
    _, space = taken
    first = LabelConflict.objects.get(ordinal=1)
    holding.release(conflict_id=first.pk)
    assert restricted_ordinals(space) == BitMap([3])
    assert held(space) == [(1, 0, "RELEASED"), (3, 0, "HELD")]
    with pytest.raises(NotHeld, match="is checked, in use; allowed is one that is held back or"):
        holding.release(conflict_id=first.pk)


@pytest.mark.usefixtures("hold")
def test_a_dropped_record_is_erased_and_in_the_journal(taken, now):
    _, space = taken
    first = LabelConflict.objects.get(ordinal=1)
    receipt = holding.drop(conflict_id=first.pk, now=now)
    assert (receipt.records, receipt.remaining) == (1, 0)
    assert purged_ordinals(space) == BitMap([1])
    assert DataRecord.objects.get(space=space, ordinal=1).subject is None
    assert not RecordContent.objects.filter(space=space, ordinal=1).exists()
    assert held(space) == [(3, 0, "HELD")]
    assert [entry.ordinals for entry in read_journal()] == [BitMap([1])]
    with pytest.raises(NotHeld, match="was erased since, or dropped by somebody else"):
        holding.drop(conflict_id=first.pk, now=now)


def test_what_is_in_use_is_not_dropped_from_here(taken, now):
    kept = LabelConflict.objects.get(ordinal=1)
    with pytest.raises(NotHeld, match="is in use; allowed is one that is held back"):
        holding.drop(conflict_id=kept.pk, now=now)
    assert not LineagePurge.objects.exists()
    assert holding.release(conflict_id=kept.pk).state == "RELEASED"


@pytest.mark.usefixtures("hold")
def test_an_erasure_takes_the_held_record_and_what_is_said_of_it(taken, now):
    _, space = taken
    purge.erase_records(case_id=space.public_id, space=space, ordinals=BitMap([0, 1]), now=now)
    assert held(space) == [(3, None, "HELD")]
