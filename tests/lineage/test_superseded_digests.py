"""A snapshot is found by the digest that it had before a hard purge, and by what it held then."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from pyroaring import BitMap

from lineage.models import DatasetSnapshot, LineageNode, ModelVersion, Run, RunInput
from lineage.queries.closure import affected
from lineage.services.openlineage import VersionTaken, receive
from lineage.services.purge import erase_records
from lineage.services.recalling import recall_rewritten
from lineage.services.snapshots import Origin, record_snapshot
from tests.lineage.builders import filled, snapshot
from tests.lineage.events import event, faces, model, named, names, send, trained_on

CASE, OTHER, THIRD = (uuid.UUID(int=number) for number in (7, 8, 9))
pytestmark = pytest.mark.django_db


@pytest.fixture
def purged(now):
    """Return a snapshot of two records without the first, and the digest that it had with it."""
    taken = snapshot(filled("faces", 3, now), now, [0, 1])
    before = taken.digest
    erase(taken.space, 0, CASE, now)
    taken.refresh_from_db()
    assert taken.digest != before
    return taken, before


def erase(space, ordinal, case, now):
    erase_records(case_id=case, space=space, ordinals=BitMap([ordinal]), now=now, hard=True)


def begun_and_ended(*inputs: dict[str, Any], run=OTHER, at=2):
    """Return the events of a run that began after the purge."""
    return (
        event("START", at=at, run=run),
        trained_on(*inputs, run=run, at=at + 1),
    )


def test_who_names_the_digest_of_before_is_known_to_have_read_what_was_erased(now, purged):
    taken, before = purged
    send(*begun_and_ended(named("faces", version=before)), now=now)
    version = ModelVersion.objects.get()
    assert Run.objects.get(id=OTHER).capture_level == "SNAPSHOT"
    assert version.state == "QUARANTINED"
    for ordinal in (0, 1):
        assert names(affected(taken.space, BitMap([ordinal]))) == ["m v1"]
    answer = affected(taken.space, BitMap([2]))
    assert (names(answer), answer.unknown) == ([], ())


def test_who_names_the_digest_of_now_did_not_read_what_was_erased(now, purged):
    taken, _ = purged
    send(*begun_and_ended(named("faces", version=taken.digest)), now=now)
    assert names(affected(taken.space, BitMap([0]))) == []
    assert ModelVersion.objects.get().state == "ACTIVE"


@pytest.mark.parametrize("started", [[], [event("START", run=OTHER)]])
def test_no_word_of_when_it_began_counts_more_than_the_digest_of_now(now, purged, started):
    """The records are then known one by one; told before the purge as the digest of another."""
    taken, before = purged
    done = trained_on(named("faces", version=taken.digest), run=OTHER, at=2)
    send(*started, done, now=now)
    assert names(affected(taken.space, BitMap([0]))) == []
    assert names(affected(taken.space, BitMap([1]))) == ["m v1"]
    assert ModelVersion.objects.get().state == "ACTIVE"
    late = event("RUNNING", inputs=[named("faces", version=before)], run=OTHER)
    send(late, now=now)
    assert names(affected(taken.space, BitMap([0]))) == ["m v1"]


@pytest.mark.parametrize("told_late", [False, True])
def test_a_snapshot_that_became_like_another_one_is_not_taken_for_it(now, told_late):
    dataset = filled("faces", 3, now)
    snapshot(dataset, now, [0, 1])
    without = snapshot(dataset, now, [1]).digest
    acts = [
        lambda: send(*begun_and_ended(named("faces", version=without), at=0), now=now),
        lambda: erase(dataset.space, 0, CASE, now + timedelta(days=1)),
    ]
    for act in reversed(acts) if told_late else acts:
        act()
    assert names(affected(dataset.space, BitMap([0]))) == []
    assert ModelVersion.objects.get().state == "ACTIVE"


@pytest.mark.parametrize(
    ("version", "by_id", "counted"),
    [("", False, False), ("", True, True), ("told:5", False, True)],
)
def test_a_digest_is_not_believed_of_what_was_read_by_another_name(now, version, by_id, counted):
    """Two data sets may have snapshots of one digest: it may be the name of the other one."""
    dataset = filled("faces", 3, now)
    origin = Origin(external_version=version)
    read = record_snapshot(dataset=dataset, now=now, ordinals=BitMap([0, 1]), origin=origin)
    erase(read.space, 0, CASE, now)
    read.refresh_from_db()
    run = Run.objects.create(activity="TRAIN", started_at=now)
    node = LineageNode.objects.get(object_id=read.id)
    used = RunInput.objects.create(run=run, node=node, role="TRAINING", influence="DIRECT")
    named = {read.digest, *([read.id.hex] if by_id else [])}
    recall_rewritten(run, now, since=None, digests=named)
    used.refresh_from_db()
    assert (used.used_snapshot is not None) is counted


def test_a_digest_between_two_purges_means_what_the_second_one_took(now, purged):
    taken, _ = purged
    between = taken.digest
    erase(taken.space, 1, OTHER, now)
    send(*begun_and_ended(named("faces", version=between), run=THIRD), now=now)
    assert names(affected(taken.space, BitMap([0]))) == []
    assert names(affected(taken.space, BitMap([1]))) == ["m v1"]


def test_both_digests_named_by_one_run_count_whichever_came_first(now, purged):
    taken, before = purged
    between = taken.digest
    erase(taken.space, 1, OTHER, now)
    for run, versions in ((OTHER, (before, between)), (THIRD, (between, before))):
        first, second = (named("faces", version=one) for one in versions)
        start, end = begun_and_ended(first, run=run)
        late = event("RUNNING", at=2, inputs=[second], run=run)
        end["outputs"] = [model(f"of {run.int}", "1")]
        send(start, end, late, now=now)
    for ordinal in (0, 1):
        found = names(affected(taken.space, BitMap([ordinal])))
        assert sorted(found) == ["of 8 v1", "of 9 v1"]


def test_an_event_that_comes_again_after_the_purge_reads_no_other_state(now):
    taken = snapshot(filled("faces", 3, now), now, [0, 1])
    send(trained_on(named("faces", version=taken.digest), run=OTHER, at=1), now=now)
    erase(taken.space, 0, CASE, now)
    before = DatasetSnapshot.objects.count()
    send(event("START", run=OTHER), now=now)
    assert Run.objects.get(id=OTHER).capture_level == "SNAPSHOT"
    assert DatasetSnapshot.objects.count() == before
    assert names(affected(taken.space, BitMap([0]))) == ["m v1"]


def test_nothing_can_be_put_behind_a_snapshot_by_the_digest_of_before(now, purged):
    _, before = purged
    wrote = event("COMPLETE", inputs=[faces(2)], outputs=[named("faces", version=before)])
    with pytest.raises(VersionTaken, match="which was taken by this platform"):
        receive(body=wrote, now=now)
