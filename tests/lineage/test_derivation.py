"""Derived records are found from what they came from, and go with it."""

from __future__ import annotations

import json

import numpy as np
import pytest
from django.core.management import call_command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyroaring import BitMap

from lineage.core import record_map
from lineage.models import DataRecord, OrdinalSpace, RecordMapBlock, Role
from lineage.queries.closure import affected
from lineage.queries.contents import read_batch
from lineage.queries.derivation import with_derived
from lineage.queries.subjects import records_of
from lineage.services.derivation import (
    Derived,
    NoSource,
    ensure_derived_dataset,
    write_derived,
)
from lineage.services.importing import DatasetMisnamed, ensure_dataset
from lineage.services.purge import erase_records
from lineage.services.runs import RunPlan, begin_run, finish_derivation
from lineage.services.snapshots import OrdinalsUnknown, take_snapshot
from tests.lineage.builders import data, filled, found, snapshot, trained

pytestmark = pytest.mark.django_db

pairs = st.lists(
    st.tuples(st.integers(0, 20_000), st.integers(0, 2**32 - 1)), min_size=1, max_size=60
)


@settings(max_examples=40, deadline=None)
@given(pairs=pairs, asked=st.sets(st.integers(0, 20_000), max_size=30))
def test_a_map_reads_back_as_it_was_written(pairs, asked):
    array = np.array(pairs, dtype=np.int64)
    asked |= {source for source, _ in pairs[:3]}
    got = BitMap()
    for block in record_map.blocks(array[:, 0], array[:, 1]):
        got |= record_map.derived_from(block, BitMap(asked), where="here")
    assert set(got) == {derived for source, derived in pairs if source in asked}


def test_an_altered_block_is_named(now):
    faces, captions = filled("faces", 3, now), derived_from_faces(now, [(0,), (1,)])
    RecordMapBlock.objects.update(offsets=b"x")
    match = f"Block 0 of the map from faces to {captions.space_id} was altered"
    with pytest.raises(record_map.MapAltered, match=match):
        with_derived({faces.space: BitMap([0])})


def derived_from_faces(now, sources, *, name="captions", parent="faces"):
    """Records derived many for many, each from some records of the parent."""
    source = ensure_dataset(name=parent)
    dataset = ensure_derived_dataset(name=name, parent=source, one_for_one=False)
    run = begin_run(
        plan=RunPlan(activity="TRANSFORM", inputs=(data(whole(source, now), Role.SOURCE_DATA),)),
        now=now,
    )
    records = [
        Derived(sources=one, content=f"{name} {at}".encode()) for at, one in enumerate(sources)
    ]
    write_derived(run=run, source=source.space, dataset=dataset, records=records, now=now)
    return dataset


def whole(dataset, now):
    space = OrdinalSpace.objects.get(id=dataset.space_id)
    return take_snapshot(dataset=dataset, ordinals=BitMap(range(space.next_ordinal)), now=now)


def test_a_derived_record_belongs_to_whom_all_its_sources_belong(now):
    filled("faces", 6, now)  # 0 to 2 are Anna's, 3 to 5 Bert's
    captions = derived_from_faces(now, [(0,), (0, 2), (2, 3)])
    owners = DataRecord.objects.filter(space=captions.space).order_by("ordinal")
    anna = found("person0@example.org")
    assert [record.subject for record in owners] == [anna, anna, None]
    assert records_of(anna)[captions.space] == BitMap([0, 1])
    assert read_batch(captions.space, [1])[0].content == b"captions 1"


def test_what_was_derived_in_steps_and_in_several_writes_is_found(now):
    faces = filled("faces", 6, now)
    captions = derived_from_faces(now, [(0,), (1,), (5,)])
    derived_from_faces(now, [(0, 5)])  # a second part of the same map
    words = derived_from_faces(now, [(0, 1), (2,), (3,)], name="words", parent="captions")
    got = with_derived({faces.space: BitMap([0])})
    assert got == {
        faces.space: BitMap([0]),
        captions.space: BitMap([0, 3]),
        words.space: BitMap([0, 2]),
    }
    assert with_derived({faces.space: BitMap([4])}) == {faces.space: BitMap([4])}


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    steps=st.lists(
        st.lists(st.sets(st.integers(0, 3), min_size=1), min_size=1, max_size=4), max_size=3
    ),
    asked=st.sets(st.integers(0, 3), min_size=1),
)
def test_any_cascade_equals_the_naive_walk(now, steps, asked):
    names = [f"level{number}-{OrdinalSpace.objects.count()}" for number in range(4)]
    parent = filled(names[0], 4, now)
    expected, held, current = {parent.space: asked}, asked, parent
    for name, records in zip(names[1:], steps, strict=False):
        known = [{one for one in each if one < _size(current)} or {0} for each in records]
        derived = derived_from_faces(
            now, [tuple(one) for one in known], name=name, parent=current.name
        )
        held = {at for at, one in enumerate(known) if one & held}
        if held:
            expected[derived.space] = held
        current = derived
    got = with_derived({parent.space: BitMap(asked)})
    assert {space: set(found) for space, found in got.items()} == expected


def _size(dataset):
    return OrdinalSpace.objects.get(id=dataset.space_id).next_ordinal


def test_versions_trained_on_derived_data_are_affected(now):
    faces = filled("faces", 6, now)
    captions = derived_from_faces(now, [(0,), (4,)])
    version = trained("captioner", now, data(snapshot(captions, now, [0, 1])))
    assert affected(faces.space, BitMap([4])).versions == ()  # by the map, not as a whole
    held = with_derived({faces.space: BitMap([0])})
    (hit,) = affected(captions.space, held[captions.space]).versions
    assert (hit.version, set(hit.forget)) == (version, {0})


def test_without_a_map_the_whole_acts_on_the_whole(now):
    faces, summary = filled("faces", 3, now), filled("summary", 1, now)
    source = data(snapshot(faces, now), Role.SOURCE_DATA)
    run = begin_run(plan=RunPlan(activity="TRANSFORM", inputs=(source,)), now=now)
    made = finish_derivation(run=run, dataset=summary, ordinals=BitMap([0]), now=now)
    version = trained("m", now, data(made))
    assert [hit.version for hit in affected(faces.space, BitMap([1])).versions] == [version]


def test_one_for_one_copies_share_the_ordinals_of_their_source(now):
    faces = filled("faces", 3, now)
    embeddings = ensure_derived_dataset(name="embeddings", parent=faces, one_for_one=True)
    taken = take_snapshot(dataset=embeddings, ordinals=BitMap([0, 1]), now=now)
    version = trained("head", now, data(taken))
    assert embeddings.space == faces.space
    assert [hit.version for hit in affected(faces.space, BitMap([1])).versions] == [version]
    erase_records(case_id=version.id, space=faces.space, ordinals=BitMap([1]), now=now)
    later = take_snapshot(dataset=embeddings, now=now)
    assert later.record_count == 2


def test_a_name_that_means_another_kind_of_data_set_is_refused(now):
    faces = filled("faces", 1, now)
    ensure_dataset(name="captions")
    with pytest.raises(DatasetMisnamed, match="captions exists and does not share the space"):
        ensure_derived_dataset(name="captions", parent=faces, one_for_one=True)
    ensure_derived_dataset(name="copies", parent=faces, one_for_one=True)
    with pytest.raises(DatasetMisnamed):
        ensure_derived_dataset(name="copies", parent=faces, one_for_one=False)


def test_a_derived_record_needs_sources_that_exist(now):
    filled("faces", 2, now)
    with pytest.raises(NoSource, match="Derived record 1 names no source"):
        derived_from_faces(now, [(0,), ()])
    with pytest.raises(OrdinalsUnknown, match="highest ordinal is 2"):
        derived_from_faces(now, [(2,)])
    assert not RecordMapBlock.objects.exists()


# --- through the questions --------------------------------------------------------------------


@pytest.mark.parametrize("who", [("--subject", "person0@example.org"), ("--records", "faces:0")])
def test_a_question_follows_records_into_what_they_share_with_others(now, capsys, who):
    filled("faces", 6, now)
    captions = derived_from_faces(now, [(0, 4), (5,)])
    trained("captioner", now, data(snapshot(captions, now, [0])))
    trained("other", now, data(snapshot(captions, now, [1])))
    for question in ("affected", "whatif"):
        call_command("lineage", question, *who, "--json")
        answer = json.loads(capsys.readouterr().out)
        listed = answer["affected"] if question == "affected" else answer["versions"]
        assert [one["name"] for one in listed] == ["captioner v1"]
        assert answer["records"]["captions"] == 1


def test_a_later_derivation_without_a_map_acts_as_a_whole(now):
    faces = filled("faces", 3, now)
    captions = derived_from_faces(now, [(0,)])
    OrdinalSpace.objects.filter(id=captions.space_id).update(next_ordinal=2)
    source = data(snapshot(faces, now), Role.SOURCE_DATA)
    run = begin_run(plan=RunPlan(activity="TRANSFORM", inputs=(source,)), now=now)
    made = finish_derivation(run=run, dataset=captions, ordinals=BitMap([1]), now=now)
    version = trained("m", now, data(made))
    assert [hit.version for hit in affected(faces.space, BitMap([1])).versions] == [version]


def test_a_model_made_from_source_data_learned_from_it(now):
    faces = filled("faces", 2, now)
    version = trained("m", now, data(snapshot(faces, now), Role.SOURCE_DATA))
    (hit,) = affected(faces.space, BitMap([0])).versions
    assert (hit.version, hit.influence) == (version, "DIRECT")
