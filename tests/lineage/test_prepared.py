"""The frequent questions: the same answers prepared, unprepared and after tiles were built."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, connection
from pyroaring import BitMap

from lineage.models import OrdinalSpace
from lineage.queries.membership import holding_of
from lineage.queries.prepared import quick_cursor
from lineage.services import tiles
from lineage.services.importing import ensure_dataset
from lineage.services.snapshots import take_snapshot

pytestmark = pytest.mark.django_db
MANY = 8  # more often than it takes until a statement is prepared


@pytest.fixture
def dataset(now):
    made = ensure_dataset(name="asked")
    OrdinalSpace.objects.filter(id=made.space_id).update(next_ordinal=100_000)
    made = ensure_dataset(name="asked")
    for at in range(5):
        members = BitMap(range(at, 100_000, at + 2)) | BitMap([99_999])
        take_snapshot(dataset=made, ordinals=members, now=now)
    return made


def wanted(ordinals, snapshots=5):
    found = {}
    for at in range(snapshots):
        held = {one for one in ordinals if one >= at and (one - at) % (at + 2) == 0}
        if held := held | ({99_999} & set(ordinals)):
            found[at] = BitMap(held)
    return found


@pytest.mark.parametrize("prepared", [True, False])
@pytest.mark.parametrize("ordinals", [[99_999], [7], [1], [0, 513, 70_001, 99_999]])
def test_questions_are_answered_alike_each_time(dataset, now, monkeypatch, prepared, ordinals):
    if connection.vendor == "postgresql" and not prepared:
        monkeypatch.setattr(connection.connection, "prepare_threshold", None)
    asked = BitMap(ordinals)
    assert holding_of(dataset.space, asked) == wanted(ordinals)
    tiles.build_group(space=dataset.space, group=0, now=now, covered=3)
    assert [holding_of(dataset.space, asked) for _ in range(MANY)] == [wanted(ordinals)] * MANY
    tiles.build_group(space=dataset.space, group=0, now=now)
    assert [holding_of(dataset.space, asked) for _ in range(MANY)] == [wanted(ordinals)] * MANY


def test_the_cursor_is_counted_and_its_errors_are_those_of_the_framework(
    django_assert_num_queries,
):
    with django_assert_num_queries(1), quick_cursor() as cursor:
        cursor.execute("SELECT 1 + %s", [1])
        assert cursor.fetchall() == [(2,)]
    with pytest.raises(DatabaseError), quick_cursor() as cursor:
        cursor.execute("SELECT nothing FROM nowhere")
