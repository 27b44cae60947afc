"""A state of a data set that was named without a version may be any of its states."""

from __future__ import annotations

import uuid

import pytest
from pyroaring import BitMap

from lineage.core.bitmaps import split
from lineage.core.membership import snapshot_digest
from lineage.core.told_names import LONGEST, fitted
from lineage.core.told_states import TOLD, UNKNOWN, State, may_be
from lineage.models import LineageEdge, ModelVersion
from lineage.queries.closure import affected
from lineage.services.purge import erase_records
from tests.lineage.builders import filled, snapshot
from tests.lineage.events import event, faces, named, names, send, trained_on

CASE = uuid.UUID(int=7)
D = snapshot_digest((chunk.number, chunk.sha256) for chunk in split(BitMap([0, 1])))


def written(version=""):
    """Return the event of a run that wrote the data set d from one face."""
    outputs = [named("d", version=version)]
    return event("COMPLETE", inputs=[faces(0)], outputs=outputs, run=uuid.UUID(int=1))


def members_of_d(version=""):
    """Return d as it is read by somebody who tells its members."""
    told = {**faces(0, ordinalSpace="d"), "name": "d"}
    return {**told, "facets": {"version": {"datasetVersion": version}}} if version else told


def told(version):
    return lambda now: send(trained_on(members_of_d(version), run=uuid.UUID(int=2)), now=now)


READ = [
    ("", told("")),
    ("", told("7")),
    ("1", told("")),
    ("1", told("1")),
    (D, told(D)),
]


@pytest.mark.django_db
@pytest.mark.database
@pytest.mark.parametrize(("version", "read"), READ)
@pytest.mark.parametrize("late", [False, True])
def test_who_read_what_may_be_the_written_state_learned_from_its_source(now, version, read, late):
    space = filled("faces", 2, now).space
    filled("d", 2, now)
    acts = [lambda now: send(written(version), now=now), read]
    for act in reversed(acts) if late else acts:
        act(now)
    assert names(affected(space, BitMap([0]))) == ["m v1"]
    assert names(affected(space, BitMap([1]))) == []


@pytest.mark.django_db
def test_who_read_another_version_did_not_learn_from_it(now):
    space = filled("faces", 2, now).space
    filled("d", 2, now)
    send(written("1"), now=now)
    told("2")(now)
    assert names(affected(space, BitMap([0]))) == []


@pytest.mark.django_db
def test_two_writers_of_two_versions_are_not_taken_for_one_another(now):
    space = filled("faces", 2, now).space
    other = event(
        "COMPLETE", inputs=[faces(1)], outputs=[named("d", version="2")], run=uuid.UUID(int=3)
    )
    filled("d", 2, now)
    send(written("1"), other, now=now)
    told("1")(now)  # both may be what is read without a version, which makes them no more alike
    send(trained_on(members_of_d(""), run=uuid.UUID(int=4), name="any"), now=now)
    assert names(affected(space, BitMap([0]))) == ["m v1", "any v1"]
    assert names(affected(space, BitMap([1]))) == ["any v1"]


@pytest.mark.django_db
def test_who_read_it_before_its_erased_source_was_told_is_quarantined(now):
    space = filled("faces", 2, now).space
    filled("d", 2, now)
    told("7")(now)
    erase_records(case_id=CASE, space=space, ordinals=BitMap([0]), now=now)
    send(written(), now=now)
    assert ModelVersion.objects.get().state == "QUARANTINED"


@pytest.mark.django_db
def test_members_told_under_another_name_are_of_any_state_of_their_data_set(now):
    """The version that is named beside them is not one of theirs."""
    space = filled("faces", 2, now).space
    filled("d", 2, now)
    bucket = {**members_of_d("7"), "name": "bucket", "namespace": "s3"}
    send(written("1"), trained_on(bucket, run=uuid.UUID(int=2)), now=now)
    assert names(affected(space, BitMap([0]))) == ["m v1"]


@pytest.mark.django_db
def test_a_data_set_of_which_nothing_was_told_gets_no_edge(now):
    filled("faces", 2, now)
    send(written(), now=now)
    before = LineageEdge.objects.count()
    snapshot(filled("voices", 2, now), now)
    assert LineageEdge.objects.count() == before


def state(text="", digest=D):
    return State(text, digest)


LONG = "x" * (LONGEST - len(TOLD))  # one is kept as it is, the other as a digest


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        (state(UNKNOWN), state(f"{UNKNOWN}1"), True),
        (state(f"{UNKNOWN}1"), state(f"{TOLD}1"), True),
        (state(f"{UNKNOWN}1"), state(f"{TOLD}2"), False),
        (state(fitted(UNKNOWN, LONG)), state(fitted(TOLD, LONG)), True),
        (state(UNKNOWN + D), state(), True),
        (state(UNKNOWN + D), state(digest="0" * 64), False),
        (state(f"{UNKNOWN}1"), state("1"), True),
        (state(f"{UNKNOWN}1"), state("2"), False),
        (state(f"{UNKNOWN}1"), state(), True),
        (state(f"{UNKNOWN}mlflow:abc"), state(), False),
        (state(), state(), False),  # both ours: nobody was told to have written one
    ],
)
def test_states_may_be_the_same_where_no_two_versions_say_otherwise(one, other, alike):
    assert may_be(one, other) is may_be(other, one) is alike
