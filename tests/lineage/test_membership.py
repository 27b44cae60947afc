"""Deltas, keyframes, tiles and proofs give the same answers as plain sets."""

from __future__ import annotations

import base64
import json
import zlib
from datetime import timedelta

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyroaring import BitMap

from audits.workflow import doorbell
from lineage.core import deltas
from lineage.core import membership_proof as proofs
from lineage.core import tiles as pure
from lineage.core.bitmaps import ChunkAltered, encode, split
from lineage.core.membership import snapshot_digest
from lineage.execution.tiling import build_tiles
from lineage.models import (
    DatasetSnapshot,
    Job,
    MembershipTile,
    OrdinalSpace,
    SnapshotChunk,
    TileGroup,
)
from lineage.queries.chunks import chains
from lineage.queries.membership import (
    holding_by_chunks,
    members,
    membership_proof,
    snapshots_holding,
)
from lineage.queries.membership_check import check_membership
from lineage.services import tiles
from lineage.services.importing import ensure_dataset
from lineage.services.snapshots import take_snapshot
from tests.lineage.triggers import without_triggers

pytestmark = pytest.mark.django_db
SIZE = 200_000

quick = settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
some = st.one_of(
    st.sets(st.integers(0, SIZE - 1), max_size=20),
    st.sets(st.integers(65_500, 65_600), max_size=20),
    st.builds(
        lambda start, length, step: set(range(start, min(SIZE, start + length * step), step)),
        st.integers(0, 140_000),
        st.integers(0, 20_000),
        st.integers(1, 3),
    ),
)
# A history: what changes from one snapshot to the next, and which earlier one it is a child of.
histories = st.lists(st.tuples(some, st.integers(0, 9), st.booleans()), min_size=1, max_size=8)


@pytest.fixture
def wide():
    """A data set whose space has handed out many ordinals, without the records."""
    dataset = ensure_dataset(name="wide")
    OrdinalSpace.objects.filter(id=dataset.space_id).update(next_ordinal=SIZE)
    return ensure_dataset(name="wide")


def taken(dataset, now, history):
    """Take the snapshots of a history and return them with their plain sets."""
    made: list[tuple[DatasetSnapshot, set[int]]] = []
    for change, back, named in history:
        before = made[-1 - back % len(made)] if made else None
        held = (before[1] if before else set()) ^ change
        parent = before[0] if before and named else None
        made.append(
            (
                take_snapshot(dataset=dataset, ordinals=BitMap(held), parent=parent, now=now),
                held,
            )
        )
    return made


def check(dataset, made, asked):
    holding = snapshots_holding(dataset.space, BitMap(asked))
    for snapshot, held in made:
        assert set(holding.get(snapshot.id, ())) == held & asked
    assert all(holding.values())


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


# --- tiles ----------------------------------------------------------------------------------


@quick
@given(sets=st.lists(some, min_size=1, max_size=20))
def test_a_slice_of_a_tile_is_the_history_of_a_record(sets):
    chunk = {at: BitMap(one) & BitMap(range(65_536)) for at, one in enumerate(sets)}
    made = {tile.block: tile for tile in pure.tiles(chunk, 0, len(sets))}
    each = pure.width(len(sets))
    asked = BitMap([0, 511, 512, 65_535, *(max(one) for one in chunk.values() if one)])
    slices = {
        ordinal: pure.checked(made[ordinal // 512], where="here")[ordinal % 512 * each :][:each]
        for ordinal in asked
        if ordinal // 512 in made
    }
    naive = {at: one & asked for at, one in chunk.items() if one.intersect(asked)}
    assert pure.holders(slices) == naive


def test_an_altered_tile_is_named_and_can_be_built_again(wide, now):
    made = taken(wide, now, [({1, 2, 70_000}, 0, False), ({5}, 0, False)])
    tiles.build_group(space=wide.space, group=0, now=now)
    MembershipTile.objects.filter(block_no=0).update(bitmap=zlib.compress(b"wrong"))
    with pytest.raises(pure.TileAltered, match="Tile 0/0 of space wide was altered"):
        snapshots_holding(wide.space, BitMap([1]))
    with pytest.raises(pure.TileAltered, match="Tile 0/0 of space wide"):
        check_membership()
    call_command("rebuild_tiles", space="wide")
    check(wide, made, {1, 2, 5, 70_000})
    MembershipTile.objects.filter(block_no=136).delete()
    with pytest.raises(pure.TileAltered, match="does not agree with the chunks"):
        check_membership()


def test_tiles_do_not_count_before_the_last_is_written(wide, now, monkeypatch):
    made = taken(wide, now, [({1, 2, 70_000}, 0, False), ({5}, 0, False)])
    tiles.build_group(space=wide.space, group=0, now=now)
    made += taken(wide, now, [({1, 9}, 0, False)])

    def die(done, total):
        if done == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tiles.build_group(space=wide.space, group=0, now=now + timedelta(1), progress=die)
    assert TileGroup.objects.get().covered == 0
    check(wide, made, {1, 2, 5, 9, 70_000})


def test_of_two_builders_the_later_one_counts(wide, now):
    taken(wide, now, [({1, 2, 70_000}, 0, False)])

    def overtake(done, total):
        if done == 1:
            tiles.build_group(space=wide.space, group=0, now=now + timedelta(1))

    with pytest.raises(tiles.AnotherBuilds):
        tiles.build_group(space=wide.space, group=0, now=now, progress=overtake)
    group = TileGroup.objects.get()
    assert (group.covered, group.built_at) == (1, now + timedelta(1))


def test_the_sweeper_queues_a_group_when_enough_came_and_the_job_builds_it(wide, now, rung):
    held = BitMap(range(0, 9_000, 3))
    for at in range(31):
        take_snapshot(dataset=wide, ordinals=held - BitMap([3 * at]), now=now)
    doorbell.queue_tiles(now)
    assert not Job.objects.exists()
    take_snapshot(dataset=wide, ordinals=held, now=now)
    for _ in range(2):
        doorbell.queue_tiles(now)
    job = Job.objects.get()
    assert (job.kind, job.queue, job.payload_id) == ("TILES", "lineage", wide.space.public_id)
    build_tiles(job)
    assert TileGroup.objects.get().covered == 32
    doorbell.queue_tiles(now)
    assert Job.objects.count() == 1
    by_tiles = snapshots_holding(wide.space, BitMap([0, 3]))
    assert by_tiles == snapshots_by_chunks(wide.space, BitMap([0, 3]))


def snapshots_by_chunks(space, ordinals):
    ids = dict(DatasetSnapshot.objects.filter(space=space).values_list("seq", "id"))
    chain = chains(space)
    found = holding_by_chunks(space, ordinals, chain)
    return {ids[seq]: hits for seq, hits in found.items()}


# --- proofs ---------------------------------------------------------------------------------


@quick
@given(held=some, asked=st.integers(0, SIZE + 70_000))
def test_a_proof_tells_what_the_set_holds(wide, now, held, asked):
    snapshot = take_snapshot(dataset=wide, ordinals=BitMap(held), now=now)
    for ordinal in {asked, *list(held)[:2]}:
        proof = json.loads(json.dumps(membership_proof(snapshot, ordinal)))
        assert proofs.verify(proof, snapshot.digest) is (ordinal in held)


CHUNKS = split(BitMap([1, 3, 140_000, 300_000]))
DIGEST = snapshot_digest((chunk.number, chunk.sha256) for chunk in CHUNKS)


def without_chunk(proof):
    """Claim that there is no such chunk, by showing its neighbours as if they were adjacent."""
    return {**proof, "chunks": proofs.prove(CHUNKS, 70_000)["chunks"]}


LIES = {
    "other bytes": lambda p: changed(p, payload=base64.b64encode(encode(BitMap([2]))).decode()),
    "another chunk's bytes": lambda p: changed(p, payload=payload_of(140_000)),
    "another index": lambda p: changed(p, index=1),
    "another number": lambda p: changed(p, number=1),
    "a shorter path": lambda p: changed(p, path=p["chunks"][0]["path"][1:]),
    "a longer path": lambda p: changed(p, path=[*p["chunks"][0]["path"], "00" * 32]),
    "fewer leaves": lambda p: {**p, "leaves": 2},
    "no chunk": lambda p: {**p, "chunks": []},
    "no leaves at all": lambda p: {**p, "chunks": [], "leaves": 0},
    "a gap elsewhere": without_chunk,
    "one neighbour only": lambda p: {**p, "chunks": proofs.prove(CHUNKS, 70_000)["chunks"][:1]},
    "nothing": lambda _: {},
}


def changed(proof, **change: object):
    return {**proof, "chunks": [{**proof["chunks"][0], **change}]}


def payload_of(ordinal):
    return proofs.prove(CHUNKS, ordinal)["chunks"][0]["payload"]


@pytest.mark.parametrize("lie", LIES.values(), ids=list(LIES))
def test_a_proof_that_lies_is_rejected(lie):
    proof = proofs.prove(CHUNKS, 1)
    assert proofs.verify(proof, DIGEST) is True
    with pytest.raises(proofs.ProofRejected):
        proofs.verify(lie(proof), DIGEST)


def test_a_missing_chunk_cannot_be_claimed_between_others():
    proof = proofs.prove(CHUNKS, 70_000)
    assert proofs.verify(proof, DIGEST) is False
    for ordinal in (140_000, 300_000, 400_000):  # of chunks that are there, or beyond the gap
        with pytest.raises(proofs.ProofRejected):
            proofs.verify({**proof, "ordinal": ordinal}, DIGEST)
