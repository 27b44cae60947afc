"""Tiles give the same answers as plain sets, or do not count."""

from __future__ import annotations

import zlib
from datetime import timedelta

import pytest
from django.core.management import call_command
from hypothesis import given
from hypothesis import strategies as st
from pyroaring import BitMap

from audits.workflow import doorbell
from lineage.core import tiles as pure
from lineage.execution.tiling import build_tiles
from lineage.models import DatasetSnapshot, Job, MembershipTile, TileGroup
from lineage.queries.chunks import chains
from lineage.queries.membership import holding_by_chunks, snapshots_holding
from lineage.queries.membership_check import check_membership
from lineage.services import tiles
from lineage.services.snapshots import take_snapshot
from tests.lineage.membership.histories import check, quick, some, taken

pytestmark = pytest.mark.django_db


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
