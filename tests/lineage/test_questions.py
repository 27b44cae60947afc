"""What people ask of lineage, through its functions and its command."""

from __future__ import annotations

import json
import uuid
from datetime import timedelta

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st
from pyroaring import BitMap

from lineage.core import first_steps, ordinal_list
from lineage.core.bitmaps import HIGHEST_ORDINAL
from lineage.models import OrdinalSpace, RunInput
from lineage.queries.closure import affected
from lineage.queries.coverage import coverage
from lineage.queries.questions import affected_by, left_without
from lineage.queries.subjects import records_of
from lineage.services.importing import ensure_dataset, import_records
from lineage.services.purge import erase_records
from lineage.services.runs import RunPlan, begin_run, fail_run
from lineage.services.snapshots import take_snapshot
from lineage.services.versions import destroy_version
from tests.lineage.builders import base, data, filled, found, rows, snapshot, trained
from tests.lineage.events import faces as told_faces
from tests.lineage.events import model, named, send, trained_on

pytestmark = pytest.mark.django_db
CASE = uuid.uuid4()


@pytest.fixture
def world(now):
    """Anna's three photos in one version and, through it, in another; Bert's in a third."""
    dataset = filled("faces", 6, now)
    first = trained("base", now, data(snapshot(dataset, now)), recipe="a:B")
    trained("tuned", now, base(first), data(snapshot(dataset, now, [4, 5])))
    trained("other", now, data(snapshot(dataset, now, [3, 4, 5])))
    trained("blind", now, capture_level="NONE")
    return dataset


def asked(*arguments: str, capsys):
    call_command("lineage", *arguments, "--json")
    return json.loads(capsys.readouterr().out)


def test_affected_names_versions_hits_and_the_way(world, capsys):
    answer = asked("affected", "--subject", "person0@example.org", capsys=capsys)
    assert answer["records"] == {"faces": 3}
    assert [(hit["name"], hit["hits"], hit["direct"]) for hit in answer["affected"]] == [
        ("base v1", 3, True),
        ("tuned v1", 3, False),
    ]
    assert answer["affected"][1]["why"] == [
        {"source": "faces@0", "role": "TRAINING", "influence": "DIRECT"},
        {"source": "base v1", "role": "BASE_MODEL", "influence": "DIRECT"},
    ]
    assert [version["name"] for version in answer["possibly_affected"]] == ["blind v1"]
    assert answer["not_affected"] == 1


def test_a_person_is_found_by_address_and_by_pseudonym_and_records_by_ordinal(world, capsys):
    pseudonym = str(found("person0@example.org").pseudonym)
    answers = [
        asked("affected", *arguments, capsys=capsys)
        for arguments in (
            ("--subject", "Person0@example.org"),
            ("--subject", pseudonym),
            ("--records", "faces:0-2"),
        )
    ]
    assert answers[0] == answers[1] == answers[2]


def test_why_answers_yes_no_and_unknown(world, capsys):
    ways = {
        name: asked("why", name, "--records", "faces:0", capsys=capsys)["affected"]
        for name in ("tuned v1", "other v1", "blind v1")
    }
    assert ways == {"tuned v1": True, "other v1": False, "blind v1": None}
    call_command("lineage", "why", "tuned v1", "--records", "faces:0")
    assert "faces@0 as training (direct)" in capsys.readouterr().out


def test_what_if_tells_what_would_be_left(world, capsys):
    answer = asked("whatif", "--records", "faces:0,2,4", capsys=capsys)
    by_name = {one["name"]: one for one in answer["versions"]}
    assert (by_name["base v1"]["leaves"], by_name["base v1"]["stays"]) == (3, 3)
    assert by_name["base v1"]["emptied_targets"] == ["0"]
    assert by_name["base v1"]["can_be_retrained"]
    assert by_name["other v1"]["emptied_targets"] == ["0"]
    assert not by_name["other v1"]["can_be_retrained"]  # no recipe
    assert answer["untouched"] == ["blind v1"]


def test_coverage_names_every_gap(world, now, capsys):
    fail_run(run=begin_run(plan=RunPlan(activity="TRAIN"), now=now), now=now)
    ensure_dataset(name="unused")
    answer = asked("coverage", capsys=capsys)
    assert answer == json.loads(json.dumps(coverage()))
    assert (answer["versions"], answer["share_captured"]) == (4, 0.75)
    assert answer["captured"]["NONE"] == 1
    assert answer["gaps"]["not_captured"] == answer["gaps"]["without_data_set"] == ["blind v1"]
    assert answer["gaps"]["runs_incomplete"] == 1
    assert answer["gaps"]["without_recipe"] == ["blind v1", "other v1", "tuned v1"]
    assert answer["gaps"]["data_sets_without_snapshot"] == ["default/unused"]


def test_coverage_is_told_for_each_data_set_and_model(world, now, capsys):
    taken = snapshot(world, now, [1])
    trained("base", now, data(taken), capture_level="NONE")
    trained("s", now, data(taken), activity="SHADOW", kind="SHADOW")
    answer = asked("coverage", capsys=capsys)
    (faces,) = answer["data_sets"]
    assert (faces["data_set"], faces["versions"], faces["share_captured"]) == (
        "default/faces",
        4,
        0.75,
    )
    assert faces["runs"] == faces["captured"]
    assert {level: count for level, count in faces["runs"].items() if count} == {
        "NONE": 1,
        "SNAPSHOT": 3,
    }
    assert faces["not_captured"] == ["base v2"]
    by_model = {one["model"]: one for one in answer["models"]}
    assert by_model["base"]["share_captured"] == 0.5
    assert by_model["blind"]["not_captured"] == ["blind v1"]
    assert answer["gaps"]["without_data_set"] == ["blind v1"]
    call_command("lineage", "coverage")
    assert "default/faces  4         75.0%  base v2" in capsys.readouterr().out


@pytest.mark.parametrize("question", ["affected", "whatif", "coverage"])
def test_every_answer_can_be_read_without_json(world, capsys, question):
    who = () if question == "coverage" else ("--records", "faces:0")
    call_command("lineage", question, *who)
    assert "blind v1" in (text := capsys.readouterr().out) or "base v1" in text


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--records", "nowhere:1"), "There is no space 'nowhere'; there are: faces."),
        (("--records", "faces:1,x"), "The ordinals contain 'x'"),
        (("--records", "faces:5-3"), "The ordinals contain '5-3'"),
        (("--subject", "nobody@example.org"), "Nobody is known"),
        (("--records", "faces:1", "--as-of", "soon"), "--as-of is 'soon'; needed is a time"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused_in_words(world, arguments, sentence):
    with pytest.raises(CommandError, match=sentence):
        call_command("lineage", "affected", *arguments)


@given(st.sets(st.integers(0, HIGHEST_ORDINAL), min_size=1, max_size=30))
def test_ordinals_are_read_as_they_are_written(ordinals):
    text = ", ".join(f"{one}-{one}" if one % 2 else str(one) for one in ordinals)
    assert ordinal_list.parse(text) == BitMap(ordinals)


# --- as of a time ---------------------------------------------------------------------------


def test_as_of_tells_what_was_known_then(now):
    dataset = filled("faces", 3, now)
    day = timedelta(days=1)
    early = take_snapshot(dataset=dataset, ordinals=BitMap([0, 1]), now=now + day)
    first = trained("m", now + 2 * day, data(early))
    late = take_snapshot(dataset=dataset, ordinals=BitMap([0, 2]), now=now + 3 * day)
    trained("m", now + 4 * day, data(late), base(first))
    erase_records(case_id=first.id, space=dataset.space, ordinals=BitMap([0]), now=now + 6 * day)
    known = {
        days: [
            (str(hit.version), hit.depth)
            for hit in affected(dataset.space, BitMap([0]), as_of=now + days * day).versions
        ]
        for days in (-1, 1, 2, 3, 5, 6)
    }
    assert known == {
        -1: [],
        1: [],
        2: [("m v1", 1)],
        3: [("m v1", 1)],
        5: [("m v1", 1), ("m v2", 1)],
        6: [],  # erased by then
    }
    answer = affected_by({dataset.space: BitMap([0])}, as_of=now + 2 * day)
    assert (answer["as_of"], answer["not_affected"]) == ((now + 2 * day).isoformat(), 0)


def test_as_of_still_knows_what_was_destroyed_later(now):
    dataset, day = filled("faces", 2, now), timedelta(days=1)
    version = trained("m", now + day, data(snapshot(dataset, now)))
    destroy_version(version=version, by_case=version.id, now=now + 3 * day)
    known = {
        days: [
            str(hit.version)
            for hit in affected(dataset.space, BitMap([0]), as_of=now + days * day).versions
        ]
        for days in (2, 3)
    }
    assert known == {2: ["m v1"], 3: []}


# --- first steps ----------------------------------------------------------------------------


def test_the_earliest_step_is_that_of_the_records_asked_for(now):
    dataset = filled("faces", 6, now)
    taken = snapshot(dataset, now)
    version = trained("m", now, data(taken), used=BitMap([1, 2, 4]))
    blob = first_steps.encode(BitMap([1, 2, 4]), np.array([7, 3, 5]))
    RunInput.objects.filter(run=version.generated_by).update(first_step_blob=blob)
    steps = {
        ordinal: affected_by({dataset.space: BitMap([ordinal])})["affected"][0]["earliest_step"]
        for ordinal in (1, 2, 4)
    }
    assert steps == {1: 7, 2: 3, 4: 5}
    both = affected_by({dataset.space: BitMap([1, 4])})
    assert both["affected"][0]["earliest_step"] == 5


# --- found by the oracles -------------------------------------------------------------------


def test_about_nobody_no_version_is_possibly_affected_and_all_are_counted(world):
    faces = OrdinalSpace.objects.get(name="faces")
    for records in ({}, {faces: BitMap()}):
        answer = affected_by(records)
        assert (answer["affected"], answer["possibly_affected"]) == ([], [])
        assert answer["not_affected"] == 4


def test_a_record_that_is_erased_neither_leaves_nor_stays(now):
    dataset = filled("faces", 3, now)
    trained("m", now, data(snapshot(dataset, now, [0, 1])), recipe="a:B")
    erase_records(case_id=CASE, space=dataset.space, ordinals=BitMap([1]), now=now)
    (left,) = left_without({dataset.space: BitMap([0])})["versions"]
    counts = ("trained_on", "erased_before", "leaves", "stays", "can_be_retrained")
    assert [left[name] for name in counts] == [2, 1, 1, 0, False]


def test_a_record_imported_again_after_its_erasure_is_another_record(now):
    dataset = filled("faces", 3, now)
    first = trained("first", now, data(snapshot(dataset, now)))
    erase_records(case_id=CASE, space=dataset.space, ordinals=BitMap([0, 1, 2]), now=now)
    assert import_records(dataset_name="faces", rows=rows(1), now=now).imported == 1
    (again,) = records_of(found("person0@example.org")).values()
    assert again == BitMap([3])
    second = trained("second", now, data(snapshot(dataset, now)))
    assert [hit.version for hit in affected(dataset.space, again).versions] == [second]
    assert [hit.version for hit in affected(dataset.space, BitMap([0])).versions] == [first]


def test_why_a_version_that_does_not_exist_is_an_error_and_no_clearance(now):
    filled("faces", 2, now)
    with pytest.raises(CommandError, match="There is no model version 'clf v7'"):
        call_command("lineage", "why", "clf v7", "--records", "faces:0")


@pytest.mark.database
def test_what_an_event_tells_late_counts_from_the_time_that_it_names(now):
    dataset = filled("faces", 4, now - timedelta(days=300))
    taken = snapshot(dataset, now, [2])  # written down after it was read
    events = [
        trained_on(told_faces(0), model("base", "1"), name="told"),
        trained_on(named("faces", version=taken.digest), name="state", run=uuid.UUID(int=2)),
        trained_on(model("told", "1"), name="child", run=uuid.UUID(int=3)),
    ]
    for number, one in enumerate(events):
        one["eventTime"] = (now - timedelta(days=100 - number)).isoformat()
    send(*reversed(events), now=now)

    def told(days):
        answer = affected_by({dataset.space: BitMap([0, 2])}, as_of=now - timedelta(days=days))
        return (
            {hit["name"] for hit in answer["affected"]},
            {one["name"] for one in answer["possibly_affected"]},
        )

    assert told(50) == ({"told v1", "state v1", "child v1"}, {"base v1"})
    assert told(99) == ({"told v1", "state v1"}, {"base v1"})
    assert told(101) == (set(), set())
