"""A hard purge takes bits out of snapshots, and nothing else."""

from __future__ import annotations

import uuid

import pytest
from django.db import IntegrityError, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyroaring import BitMap

from lineage.models import (
    DatasetSnapshot,
    LineagePurge,
    OrdinalSpace,
    PurgePermit,
    SnapshotChunk,
    SnapshotSupersession,
)
from lineage.queries.membership import members, snapshots_holding
from lineage.services import importing, rewriting
from lineage.services.purge import erase_records
from lineage.services.tiles import build_group
from tests.lineage.builders import filled, snapshot
from tests.lineage.purging.erasing import CASE

pytestmark = pytest.mark.django_db


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    sets=st.lists(st.sets(st.integers(0, 140_000), max_size=30), min_size=1, max_size=6),
    gone=st.sets(st.integers(0, 140_000), min_size=1, max_size=20),
    tiled=st.booleans(),
)
def test_a_hard_purge_takes_the_bits_and_nothing_else(now, sets, gone, tiled):
    dataset = importing.ensure_dataset(name="wide")
    OrdinalSpace.objects.filter(id=dataset.space_id).update(next_ordinal=140_001)
    gone |= {min(one) for one in sets[:2] if one}
    taken = [snapshot(dataset, now, sorted(one)) for one in sets]
    if tiled:
        build_group(space=dataset.space, group=0, now=now)
    case = uuid.uuid4()
    erase_records(case_id=case, space=dataset.space, ordinals=BitMap(gone), now=now, hard=True)
    superseded = SnapshotSupersession.objects.filter(purge__case_id=case)
    touched = {one.id for one, held in zip(taken, sets, strict=True) if held & gone}
    ours = {one.id for one in taken}
    assert {one.snapshot_id for one in superseded.all()} & ours == touched
    count = superseded.count()
    for before, held in zip(taken, sets, strict=True):
        after = DatasetSnapshot.objects.get(id=before.id)
        assert members(after) == BitMap(held - gone)
        assert after.record_count == len(held - gone)
        assert (after.digest != before.digest) == (before.id in touched)
    assert ours.isdisjoint(snapshots_holding(dataset.space, BitMap(gone)))
    others = BitMap({one for held in sets for one in held} - gone)
    holding = snapshots_holding(dataset.space, others)
    for before, held in zip(taken, sets, strict=True):
        assert set(holding.get(before.id, ())) == held - gone
    erase_records(case_id=case, space=dataset.space, ordinals=BitMap(gone), now=now, hard=True)
    assert superseded.count() == count
    assert not PurgePermit.objects.exists()


def test_a_hard_purge_may_grow_and_rewrite_a_snapshot_again(now):
    dataset = filled("faces", 4, now)
    taken = snapshot(dataset, now)
    for gone in ({1}, {1, 2}):
        erase_records(case_id=CASE, space=dataset.space, ordinals=BitMap(gone), now=now, hard=True)
    first, second = SnapshotSupersession.objects.filter(snapshot=taken).order_by("id")
    assert second.previous_digest == first.digest
    taken.refresh_from_db()
    assert members(taken) == BitMap([0, 3])


def test_what_is_known_as_purged_was_rewritten_too(now, monkeypatch):
    dataset = filled("faces", 4, now)
    taken = snapshot(dataset, now)
    with monkeypatch.context() as dying:
        dying.setattr(rewriting, "_supersede", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            erase_records(
                case_id=CASE, space=dataset.space, ordinals=BitMap([1]), now=now, hard=True
            )
    assert not LineagePurge.objects.exists()
    assert members(taken) == BitMap(range(4))


def test_a_supersession_names_both_digests_and_stays(now):
    dataset = filled("faces", 4, now)
    taken = snapshot(dataset, now)
    erase_records(case_id=CASE, space=dataset.space, ordinals=BitMap([1]), now=now, hard=True)
    after = DatasetSnapshot.objects.get(id=taken.id)
    noted = SnapshotSupersession.objects.get()
    assert (noted.previous_digest, noted.digest) == (taken.digest, after.digest)
    assert LineagePurge.objects.get().mode == "HARD"
    with pytest.raises(IntegrityError), transaction.atomic():
        SnapshotSupersession.objects.all().delete()


def test_without_a_permit_no_chunk_can_be_rewritten(now):
    taken = snapshot(filled("faces", 2, now), now)
    for change in (
        SnapshotChunk.objects.all().delete,
        lambda: SnapshotChunk.objects.update(cardinality=9),
        lambda: DatasetSnapshot.objects.filter(id=taken.id).update(digest="0"),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            change()
