"""What is said to be written outside may be a snapshot of ours: possible, and never more.

A key that may report can say anything of any data set. What we took a snapshot of is known record
by record, so no word from outside takes a training on it out of use; people are shown it.
"""

from __future__ import annotations

import itertools
import uuid

import pytest
from django.db import transaction
from pyroaring import BitMap

from lineage.core.bitmaps import split
from lineage.core.membership import snapshot_digest
from lineage.models import Dataset, DatasetSnapshot, LineageEdge, ModelVersion
from lineage.queries.closure import affected
from lineage.queries.questions import affected_by, why_version
from lineage.services.purge import erase_records
from lineage.services.restriction import restrict
from lineage.services.runs import RunPlan, RunResult, begin_run, finish_run
from lineage.services.snapshots import take_snapshot
from tests.lineage.builders import base, data, filled, snapshot, trained
from tests.lineage.events import event, faces, model, named, names, send, trained_on
from tests.lineage.remote import key

CASE, FIRST, SECOND = (uuid.UUID(int=number) for number in (7, 8, 9))
D = snapshot_digest((chunk.number, chunk.sha256) for chunk in split(BitMap([0, 1])))
pytestmark = pytest.mark.django_db


@pytest.fixture
def space(now):
    """Return the space of the faces; beside them there is a data set d of ours."""
    filled("d", 2, now)
    return filled("faces", 3, now).space


def unknown(closure):
    return [str(version) for version in closure.unknown]


def writes(version="", *, source=0, run=FIRST, name="d"):
    """Send the event of a run that wrote a data set from one face."""
    outputs = [named(name, version=version)]
    return event("COMPLETE", inputs=[faces(source)], outputs=outputs, run=run)


def ours(now, name="m", of="d"):
    """Train a version of ours on a data set."""
    return trained(name, now, data(snapshot(Dataset.objects.get(name=of), now)))


def possibly(space, ordinal):
    """Return who is possibly affected, after a look that nobody is said to be for sure."""
    answer = affected(space, BitMap([ordinal]))
    assert names(answer) == []
    return unknown(answer)


@pytest.mark.database
@pytest.mark.parametrize("stop", [restrict, erase_records])
@pytest.mark.parametrize("version", ["", "5"])
def test_nobody_outside_takes_trainings_on_our_data_out_of_use(now, space, version, stop):
    before = ours(now, "before")
    stop(case_id=CASE, space=space, ordinals=BitMap([0]), now=now)
    send(writes(version), now=now)
    after = ours(now, "after")
    states = set(ModelVersion.objects.values_list("state", flat=True))
    assert states == {"ACTIVE"}
    assert possibly(space, 0) == [str(after), str(before)]
    assert possibly(space, 1) == []


def test_a_training_that_is_open_while_it_is_told_is_not_born_affected(now, space):
    taken = snapshot(Dataset.objects.get(name="d"), now)
    run = begin_run(plan=RunPlan(activity="TRAIN", inputs=(data(taken),)), now=now)
    restrict(case_id=CASE, space=space, ordinals=BitMap([0]), now=now)
    send(writes(), now=now)
    result = RunResult(model_name="m", weights=b"w", used=BitMap([1]))
    assert finish_run(run=run, result=result, now=now).state == "ACTIVE"
    assert possibly(space, 0) == ["m v1"]


@pytest.mark.parametrize("version", ["", "5", D])
def test_told_first_or_last_it_is_the_same(now, space, version):
    def tells(now):
        send(writes(version), now=now)

    acts = [tells, ours, lambda now: send(event("START", run=FIRST), now=now)]
    found = set()
    for order in itertools.permutations(acts):
        if version == D and order.index(ours) < order.index(tells):
            continue  # who writes a snapshot that we have taken is refused
        with transaction.atomic():
            for act in order:
                act(now)
            found.add((*possibly(space, 0), LineageEdge.objects.count()))
            transaction.set_rollback(True)
    assert found == {("m v1", 3)}


def test_a_written_digest_may_be_the_snapshot_with_it_and_its_parts_alone(now, space):
    send(writes(D), now=now)
    whole = snapshot(Dataset.objects.get(name="d"), now)
    part = take_snapshot(dataset=whole.dataset, ordinals=BitMap([1]), parent=whole, now=now)
    other = snapshot(whole.dataset, now, [0])
    for name, taken in (("whole", whole), ("part", part), ("other", other)):
        trained(name, now, data(taken))
    assert sorted(possibly(space, 0)) == ["part v1", "whole v1"]


def test_a_written_digest_is_known_after_a_hard_purge_as_well(now, space):
    send(writes(D), now=now)
    ours(now)
    d = Dataset.objects.get(name="d").space
    erase_records(case_id=CASE, space=d, ordinals=BitMap([0]), now=now, hard=True)
    assert possibly(space, 0) == ["m v1"]


def test_a_digest_of_another_tool_says_nothing_of_which_of_our_snapshots_it_is(now, space):
    version = ours(now)
    send(writes("ab" * 32), writes("cd" * 32, source=1, run=SECOND), now=now)
    assert possibly(space, 0) == possibly(space, 1) == [str(version)]
    assert possibly(space, 2) == []


def test_what_is_possible_goes_on_to_all_that_came_from_it(now, space):
    """From data of ours to a run outside, and from what that wrote to other data of ours."""
    filled("e", 2, now)
    first = ours(now, "first")
    trained("tuned", now, base(first), capture_level="SNAPSHOT")
    taken = DatasetSnapshot.objects.get(dataset__name="d")
    later = event(
        "COMPLETE",
        inputs=[named("d", version=taken.digest)],
        outputs=[named("e"), model("outside", "1")],
        run=SECOND,
    )
    send(later, writes(), now=now)
    ours(now, "second", of="e")
    expected = ["first v1", "outside v1", "second v1", "tuned v1"]
    assert sorted(possibly(space, 0)) == expected
    assert possibly(space, 1) == []
    erase_records(case_id=CASE, space=space, ordinals=BitMap([0]), now=now, hard=True)
    assert sorted(possibly(space, 0)) == expected
    assert set(ModelVersion.objects.values_list("state", flat=True)) == {"ACTIVE"}


def test_a_version_that_removed_the_record_on_purpose_is_not_possibly_affected(now, space):
    send(writes(), now=now)
    old = ours(now)
    gone = snapshot(Dataset.objects.get(name="faces"), now, [0])
    inputs = (base(old, "TEACHER"), data(gone, "FORGET"))
    trained("cleared", now, *inputs, activity="UNLEARN")
    assert possibly(space, 0) == ["m v1"]


def test_an_uncaptured_run_that_read_what_is_possibly_derived_is_not_elsewhere(now, space):
    filled("e", 2, now)
    ours(now)
    taken = DatasetSnapshot.objects.get(dataset__name="d")
    read = named("d", version=taken.digest)
    passed = event("COMPLETE", inputs=[read], outputs=[named("e")], run=SECOND)
    send(writes(), passed, trained_on(named("e", version="7"), run=CASE, name="far"), now=now)
    assert "far v1" in possibly(space, 0)


def test_who_reads_outside_what_was_written_outside_is_affected_for_sure(now, space):
    ours(now)
    send(writes("5"), trained_on(named("d", version="5"), run=SECOND, name="outside"), now=now)
    answer = affected(space, BitMap([0]))
    assert (names(answer), unknown(answer)) == (["outside v1"], ["m v1"])


def test_the_questions_say_possibly_and_as_of_a_time_as_it_is_known_today(now, space):
    version = ours(now)
    send(writes(), now=now)
    asked = {space: BitMap([0])}
    for answer in (affected_by(asked), affected_by(asked, as_of=now)):
        assert answer["affected"] == []
        assert [one["name"] for one in answer["possibly_affected"]] == ["m v1"]
        assert answer["not_affected"] == 0
    assert why_version(version, asked)["affected"] is None
    assert why_version(version, {space: BitMap([1])})["affected"] is False


def test_the_newest_snapshot_to_train_on_is_ours_and_never_one_that_was_told(client, now, space):
    taken = snapshot(Dataset.objects.get(name="d"), now)
    members = {**faces(0, ordinalSpace="d"), "name": "d"}
    send(writes(), trained_on(members, run=SECOND), now=now)
    assert DatasetSnapshot.objects.filter(dataset=taken.dataset).count() > 1
    headers = {"authorization": f"Bearer {key('capture')}"}
    answer = client.get("/api/v1/capture/datasets/d/newest", headers=headers)
    assert answer.json()["snapshot"] == str(taken.id)


@pytest.mark.parametrize(
    "rule", ["drawn_by_run", "retain_set_of", "forget_set_of", "beside_forget_set_of"]
)
def test_nobody_outside_trains_on_the_part_that_one_run_was_given(client, now, space, rule):
    dataset = Dataset.objects.get(name="d")
    whole = snapshot(dataset, now)
    take_snapshot(dataset=dataset, ordinals=BitMap([0]), rule={rule: "a run"}, now=now)
    headers = {"authorization": f"Bearer {key('capture')}"}
    answer = client.get("/api/v1/capture/datasets/d/newest", headers=headers)
    assert answer.json()["snapshot"] == str(whole.id)
