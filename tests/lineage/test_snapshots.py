from __future__ import annotations

import uuid

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyroaring import BitMap

from lineage import artifacts
from lineage.core.bitmaps import ChunkAltered
from lineage.models import DatasetSnapshot, LineageNode, OrdinalSpace, RecordContent, SnapshotChunk
from lineage.queries.availability import purged_ordinals, restricted_ordinals, usable_ordinals
from lineage.queries.membership import SnapshotAltered, members, snapshots_holding
from lineage.queries.training_view import RecordNotServed, training_view
from lineage.services import importing, restriction
from lineage.services.purge import erase_records
from lineage.services.snapshots import OrdinalsUnknown, take_snapshot
from lineage.services.views import OutsideErasureView, PurposeNotAllowed, open_erasure_view
from tests.lineage.builders import filled, snapshot
from tests.lineage.triggers import without_triggers

pytestmark = pytest.mark.django_db
CASE = uuid.UUID(int=1)


def wide(now, size=400_000):
    """A data set whose space has handed out many ordinals, without the records."""
    dataset = importing.ensure_dataset(name="wide")
    OrdinalSpace.objects.filter(id=dataset.space_id).update(next_ordinal=size)
    return importing.ensure_dataset(name="wide")


def test_a_snapshot_holds_what_is_usable_when_it_is_taken(now):
    dataset = filled("faces", 6, now)
    first = snapshot(dataset, now)
    restriction.restrict(case_id=CASE, space=dataset.space, ordinals=BitMap([2]), now=now)
    second = take_snapshot(dataset=dataset, parent=first, rule={"why": "test"}, now=now)
    assert members(first) == BitMap(range(6))
    assert members(second) == BitMap([0, 1, 3, 4, 5])
    assert (first.seq, second.seq, second.record_count) == (0, 1, 5)
    assert (second.parent, second.selection_rule) == (first, {"why": "test"})
    assert LineageNode.objects.filter(object_id=second.id, kind="SNAPSHOT").exists()


def test_equal_members_have_equal_digests(now):
    dataset = filled("faces", 4, now)
    one, two = snapshot(dataset, now, [1, 2]), snapshot(dataset, now, [2, 1])
    assert one.digest == two.digest != snapshot(dataset, now, [1]).digest
    assert members(snapshot(dataset, now, [])) == BitMap()


def test_a_snapshot_of_unknown_ordinals_is_refused(now):
    dataset = filled("faces", 4, now)
    with pytest.raises(OrdinalsUnknown, match="highest ordinal is 4; the space faces has handed"):
        snapshot(dataset, now, [4])
    assert not DatasetSnapshot.objects.exists()


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(
        st.one_of(
            st.sets(st.integers(0, 399_999), max_size=20),
            st.sets(st.integers(65_500, 65_600), max_size=20),
            st.builds(
                lambda a, n: set(range(a, a + n)), st.integers(0, 90_000), st.integers(0, 70_000)
            ),
        ),
        min_size=1,
        max_size=4,
    ),
    st.sets(st.integers(0, 399_999), max_size=5),
)
def test_snapshots_holding_equals_the_naive_join(now, sets, asked):
    dataset = wide(now)
    asked = asked | {max(one) for one in sets if one}
    taken = [snapshot(dataset, now, sorted(one)) for one in sets]
    holding = snapshots_holding(dataset.space, BitMap(asked))
    for one, taken_one in zip(sets, taken, strict=True):
        assert members(taken_one) == BitMap(one)
        assert set(holding.get(taken_one.id, ())) == one & asked
    assert all(holding.values())


def test_only_the_chunks_concerned_are_read(now, django_assert_num_queries):
    dataset = wide(now)
    snapshot(dataset, now, range(0, 400_000, 7))
    with django_assert_num_queries(4) as queries:
        snapshots_holding(dataset.space, BitMap([7, 131_075]))
    assert "chunk_no IN (0, 2)" in queries[2]["sql"]


def test_a_chunk_that_was_altered_is_named(now):
    dataset = wide(now)
    taken = snapshot(dataset, now, [1, 70_000])
    with without_triggers():
        SnapshotChunk.objects.filter(chunk_no=1).update(bitmap=b"x")
    with pytest.raises(ChunkAltered, match="Chunk 1 of snapshot 0 in space wide"):
        members(taken)
    with pytest.raises(ChunkAltered, match="Chunk 1 of snapshot 0 in space wide"):
        snapshots_holding(dataset.space, BitMap([70_001]))
    assert snapshots_holding(dataset.space, BitMap([1])) == {taken.id: BitMap([1])}


def test_a_chunk_that_vanished_is_noticed(now):
    taken = snapshot(wide(now), now, [1, 70_000])
    with without_triggers():
        SnapshotChunk.objects.filter(chunk_no=0).delete()
    with pytest.raises(SnapshotAltered, match="1 chunks of snapshot wide@0"):
        members(taken)


# --- views ----------------------------------------------------------------------------------


def test_a_training_view_serves_what_is_usable(now):
    dataset = filled("faces", 6, now)
    taken = snapshot(dataset, now)
    view = training_view(taken)
    assert len(view) == 6
    assert view.read(3) == (b"content 3", "1")
    assert [(r.ordinal, r.content) for r in view] == [(o, b"content %d" % o) for o in range(6)]


def test_a_restricted_record_is_never_served(now):
    dataset = filled("faces", 6, now)
    taken = snapshot(dataset, now)
    early = training_view(taken)
    restriction.restrict(case_id=CASE, space=dataset.space, ordinals=BitMap([1, 4]), now=now)
    late = training_view(taken)
    assert sorted(late.ordinals) == [0, 2, 3, 5] == [record.ordinal for record in late]
    for view, message in ((late, "not in this view"), (early, "restricted after this view")):
        with pytest.raises(RecordNotServed, match=message):
            view.read(4)
    with pytest.raises(RecordNotServed, match="2 records of faces@0 were restricted"):
        list(early)
    assert early.read(0) == (b"content 0", "0")


def test_a_view_serves_again_what_is_no_longer_restricted(now):
    dataset = filled("faces", 3, now)
    taken = snapshot(dataset, now)
    restriction.restrict(case_id=CASE, space=dataset.space, ordinals=BitMap([1]), now=now)
    other = uuid.UUID(int=2)
    restriction.restrict(case_id=other, space=dataset.space, ordinals=BitMap([1, 2]), now=now)
    assert restriction.lift(case_id=other, now=now) == 1
    assert restriction.lift(case_id=other, now=now) == 0
    assert sorted(training_view(taken).ordinals) == [0, 2]


def test_restricting_again_adds_and_never_takes_away(now):
    space = filled("faces", 6, now).space
    for ordinals in ([1], [1], [2, 3], []):
        restriction.restrict(case_id=CASE, space=space, ordinals=BitMap(ordinals), now=now)
    assert restricted_ordinals(space) == BitMap([1, 2, 3])
    restriction.lift(case_id=CASE, now=now)
    restriction.restrict(case_id=CASE, space=space, ordinals=BitMap([5]), now=now)
    assert restricted_ordinals(space) == BitMap([5])
    with pytest.raises(OrdinalsUnknown):
        restriction.restrict(case_id=CASE, space=space, ordinals=BitMap([6]), now=now)


def test_an_erased_record_is_in_no_view(now):
    dataset = filled("faces", 6, now)
    taken = snapshot(dataset, now)
    erase_records(case_id=CASE, space=dataset.space, ordinals=BitMap([2]), now=now)
    assert 2 in members(taken)
    assert 2 not in training_view(taken).ordinals
    assert usable_ordinals(dataset.space) == BitMap(range(6)) - purged_ordinals(dataset.space)
    assert purged_ordinals(dataset.space) == BitMap([2])


def test_a_missing_or_altered_file_is_a_sentence(now, home):
    taken = snapshot(filled("faces", 3, now), now)
    content = RecordContent.objects.get(ordinal=1)
    (home / "store" / content.uri).write_bytes(b"other")
    with pytest.raises(artifacts.ArtefactAltered, match="was altered"):
        training_view(taken).read(1)
    (home / "store" / content.uri).unlink()
    with pytest.raises(artifacts.ArtefactMissing, match="is missing"):
        training_view(taken).read(1)
    RecordContent.objects.filter(ordinal=1).delete()
    with pytest.raises(artifacts.ArtefactMissing, match="Record 1 of space faces has no content"):
        training_view(taken).read(1)


def test_an_erasure_view_opens_restricted_records_and_leaves_a_trace(now):
    dataset = filled("faces", 6, now)
    restriction.restrict(case_id=CASE, space=dataset.space, ordinals=BitMap([1, 4]), now=now)
    run = uuid.UUID(int=9)
    view = open_erasure_view(
        run_id=run, purpose="UNLEARN", space=dataset.space, ordinals=BitMap([1, 4]), now=now
    )
    assert view.read(4) == (b"content 4", "0")
    assert [record.ordinal for record in view] == [1, 4]
    assert len(view) == view.opening.record_count == 2
    assert (view.opening.run_id, view.opening.purpose) == (run, "UNLEARN")
    with pytest.raises(OutsideErasureView, match="Record 2 is not in the UNLEARN view"):
        view.read(2)


def test_restricted_records_are_opened_for_known_ends_only(now):
    space = filled("faces", 1, now).space
    with pytest.raises(PurposeNotAllowed, match="UNLEARN, AUDIT, REVIEW"):
        open_erasure_view(
            run_id=CASE, purpose="TRAINING", space=space, ordinals=BitMap([0]), now=now
        )
    assert connection.in_atomic_block
