"""Deltas and keyframes give the same answers as plain sets."""

from __future__ import annotations

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st
from pyroaring import BitMap

from lineage.core import deltas
from lineage.core.bitmaps import ChunkAltered
from lineage.models import SnapshotChunk
from lineage.queries.membership import members, snapshots_holding
from lineage.queries.membership_check import check_membership
from lineage.services import tiles
from lineage.services.snapshots import take_snapshot
from tests.lineage.membership.histories import SIZE, check, quick, some, taken
from tests.lineage.triggers import without_triggers

pytestmark = pytest.mark.django_db
# A history: what changes from one snapshot to the next, and which earlier one it is a child of.
histories = st.lists(st.tuples(some, st.integers(0, 9), st.booleans()), min_size=1, max_size=8)


@quick
@given(history=histories, asked=st.sets(st.integers(0, SIZE - 1), max_size=5))
def test_any_history_reads_back_as_it_was_taken(wide, now, history, asked):
    made = taken(wide, now, history)
    asked = asked | {max(held) for _, held in made if held}
    for snapshot, held in made:
        assert members(snapshot) == BitMap(held)
    check(wide, made, asked)


@quick
@given(history=histories, cut=st.integers(1, 8), asked=st.sets(st.integers(0, SIZE - 1)))
def test_tiles_that_are_behind_the_chunks_give_the_same_answers(wide, now, history, cut, asked):
    made = taken(wide, now, history)
    asked = asked | {max(held) for _, held in made if held}
    first = made[0][0].seq  # examples share the space
    tiles.build_group(space=wide.space, group=0, covered=first + min(cut, len(made)), now=now)
    check(wide, made, asked)
    check_membership()


def test_an_evolving_data_set_is_stored_as_differences(wide, now, monkeypatch):
    monkeypatch.setattr(deltas, "LONGEST_CHAIN", 3)
    held = BitMap(range(0, SIZE, 3))
    made = []
    for at in range(9):
        held = held - BitMap([at * 3]) | BitMap([at * 3 + 1])
        made.append((take_snapshot(dataset=wide, ordinals=held, now=now), set(held)))
    assert [snapshot.chain for snapshot, _ in made] == [0, 1, 2, 3, 0, 1, 2, 3, 0]
    rows = SnapshotChunk.objects.filter(seq=1)
    assert [(row.chunk_no, row.is_delta, row.cardinality) for row in rows] == [(0, True, 2)]
    assert all(snapshot.parent is None for snapshot, _ in made)  # storage is not lineage
    assert [members(snapshot) == BitMap(held) for snapshot, held in made] == [True] * 9


def test_what_has_little_in_common_is_stored_whole(wide, now):
    halves = [np.random.default_rng(seed).random(SIZE) < 0.5 for seed in range(3)]
    made = [
        take_snapshot(dataset=wide, ordinals=BitMap(np.flatnonzero(half)), now=now)
        for half in halves
    ]
    assert [snapshot.base for snapshot in made] == [None] * 3


def test_a_chunk_that_lost_all_its_members_is_empty(wide, now):
    everything = BitMap(range(0, SIZE, 2))
    made = [
        take_snapshot(dataset=wide, ordinals=ordinals, now=now)
        for ordinals in (everything, everything - BitMap(range(65_536)), BitMap(), everything)
    ]
    assert [snapshot.chain for snapshot in made][:2] == [0, 1]
    assert [len(members(snapshot)) for snapshot in made] == [100_000, 67_232, 0, 100_000]
    assert set(snapshots_holding(wide.space, BitMap([0]))) == {made[0].id, made[3].id}


def test_a_chain_is_read_with_a_bounded_number_of_queries(wide, now, django_assert_num_queries):
    held = BitMap(range(0, SIZE, 3))
    *_, last = [
        take_snapshot(dataset=wide, ordinals=held - BitMap([3 * at]), now=now) for at in range(30)
    ]
    assert last.chain == 29
    with django_assert_num_queries(3):
        members(last)


def test_an_altered_difference_is_named_and_stops_every_reader(wide, now):
    held = BitMap(range(0, SIZE, 3))
    take_snapshot(dataset=wide, ordinals=held, now=now)
    second = take_snapshot(dataset=wide, ordinals=held - BitMap([3]), now=now)
    with without_triggers():
        SnapshotChunk.objects.filter(seq=1).update(bitmap=b"no bitmap")
    match = "Chunk 0 of snapshot 1 in space wide was altered"
    with pytest.raises(ChunkAltered, match=match):
        members(second)
    with pytest.raises(ChunkAltered, match=match):
        snapshots_holding(wide.space, BitMap([6]))
    with pytest.raises(CommandError, match=match):
        call_command("rebuild_tiles", space="wide")
    assert len(snapshots_holding(wide.space, BitMap([90_000]))) == 2
