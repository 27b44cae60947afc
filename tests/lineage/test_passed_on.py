"""What acts on data as a whole goes on to what is derived from it record by record."""

from __future__ import annotations

import uuid

import pytest
from pyroaring import BitMap

from lineage.models import DatasetSnapshot, ModelVersion, Role
from lineage.queries.questions import affected_by
from lineage.services.derivation import Derived, NoSource, ensure_derived_dataset, write_derived
from lineage.services.purge import erase_records
from lineage.services.restriction import restrict
from lineage.services.runs import RunPlan, begin_run, finish_derivation
from lineage.services.snapshots import take_snapshot
from lineage.services.versions import withdraw
from tests.lineage.builders import base, data, filled, snapshot, trained

pytestmark = [pytest.mark.django_db, pytest.mark.database]

CASE = uuid.uuid4()


def summary_of(faces, now):
    """One text about everybody: no record of it is anybody's."""
    made = filled("summary", 4, now)
    source = data(snapshot(faces, now), Role.SOURCE_DATA)
    run = begin_run(plan=RunPlan(activity="TRANSFORM", inputs=(source,)), now=now)
    return made, finish_derivation(run=run, dataset=made, ordinals=BitMap([0, 1]), now=now)


def synthetic(faces, now):
    """What a model that had learned from everybody wrote."""
    generator = trained("generator", now, data(snapshot(faces, now)))
    made = filled("made", 2, now)
    source = base(generator, Role.GENERATOR)
    run = begin_run(plan=RunPlan(activity="SYNTHESISE", inputs=(source,)), now=now)
    return made, finish_derivation(run=run, dataset=made, ordinals=BitMap([0, 1]), now=now)


def embedded(dataset, taken, now):
    derived = ensure_derived_dataset(name="embedded", parent=dataset, one_for_one=True)
    plan = RunPlan(activity="EMBED", inputs=(data(taken, Role.SOURCE_DATA),))
    run = begin_run(plan=plan, now=now)
    return finish_derivation(run=run, dataset=derived, ordinals=BitMap([0, 1]), now=now)


def captioned(dataset, taken, now):
    derived = ensure_derived_dataset(name="captioned", parent=dataset, one_for_one=False)
    plan = RunPlan(activity="TRANSFORM", inputs=(data(taken, Role.SOURCE_DATA),))
    run = begin_run(plan=plan, now=now)
    records = [Derived(sources=(0,)), Derived(sources=(1,))]
    return write_derived(run=run, source=dataset.space, dataset=derived, records=records, now=now)


def named(dataset, *ordinals: int):
    answer = affected_by({dataset.space: BitMap(ordinals)})
    return {hit["name"] for hit in answer["affected"]}


@pytest.mark.parametrize("step", [embedded, captioned])
@pytest.mark.parametrize("origin", [summary_of, synthetic])
def test_an_erased_record_behind_two_steps_is_found_and_its_readers_are_born_affected(
    now, origin, step
):
    faces = filled("faces", 3, now)
    taken = step(*origin(faces, now), now)
    before = trained("before", now, data(taken))
    assert {str(before)} <= named(faces, 0)
    erase_records(case_id=CASE, space=faces.space, ordinals=BitMap([0]), now=now)
    after = trained("after", now, data(taken))
    assert {str(before), str(after)} <= named(faces, 0)
    if origin is summary_of:  # what a model passes on is for its own state to say
        assert after.state == "QUARANTINED"


@pytest.mark.parametrize("step", [embedded, captioned])
def test_a_record_of_the_source_itself_still_goes_its_own_way_only(now, step):
    faces = filled("faces", 2, now)
    taken = step(faces, snapshot(faces, now), now)
    part = take_snapshot(dataset=taken.dataset, ordinals=BitMap([1]), now=now, parent=taken)
    model = trained("part", now, data(part))
    assert str(model) in named(faces, 1)
    assert str(model) not in named(faces, 0)


@pytest.mark.parametrize("step", [embedded, captioned])
def test_a_withdrawn_generator_counts_behind_derived_data(now, step):
    faces = filled("faces", 2, now)
    taken = step(*synthetic(faces, now), now)
    generator = trained("other", now, data(taken))
    assert generator.state == "ACTIVE"
    source = affected_by({faces.space: BitMap([0])})["affected"][0]
    version = ModelVersion.objects.get(id=source["version"])
    withdraw(version=version, by_case=CASE, now=now)
    assert trained("late", now, data(taken)).state == "WITHDRAWN"


@pytest.mark.parametrize("origin", [summary_of, synthetic])
def test_a_fresh_snapshot_has_the_origin_of_the_records_in_it(now, origin):
    faces = filled("faces", 3, now)
    made, _ = origin(faces, now)
    fresh = take_snapshot(dataset=made, now=now)
    assert str(trained("fresh", now, data(fresh))) in named(faces, 0)


def test_a_fresh_snapshot_of_other_records_has_not(now):
    faces = filled("faces", 3, now)
    made, _ = summary_of(faces, now)
    others = take_snapshot(dataset=made, ordinals=BitMap([2, 3]), now=now)
    assert str(trained("others", now, data(others))) not in named(faces, 0)


def test_a_fresh_snapshot_of_derived_data_is_restricted_with_its_source(now):
    faces = filled("faces", 3, now)
    made, _ = summary_of(faces, now)
    restrict(case_id=CASE, space=faces.space, ordinals=BitMap([0]), now=now)
    fresh = take_snapshot(dataset=made, now=now)
    assert trained("fresh", now, data(fresh)).state == "WITHDRAWN"


def test_a_source_that_no_map_follows_acts_as_a_whole(now):
    faces, voices = filled("faces", 2, now), filled("voices", 2, now)
    pairs = ensure_derived_dataset(name="pairs", parent=faces, one_for_one=False)
    inputs = tuple(data(snapshot(one, now), Role.SOURCE_DATA) for one in (faces, voices))
    run = begin_run(plan=RunPlan(activity="TRANSFORM", inputs=inputs), now=now)
    records = [Derived(sources=(0,))]
    taken = write_derived(run=run, source=faces.space, dataset=pairs, records=records, now=now)
    model = str(trained("m", now, data(taken)))
    assert (model in named(voices, 1), model in named(faces, 1)) == (True, False)


def test_a_map_from_data_that_was_not_declared_is_refused(now):
    faces, voices = filled("faces", 2, now), filled("voices", 2, now)
    pairs = ensure_derived_dataset(name="pairs", parent=faces, one_for_one=False)
    declared = (data(snapshot(voices, now), Role.SOURCE_DATA),)
    run = begin_run(plan=RunPlan(activity="TRANSFORM", inputs=declared), now=now)
    with pytest.raises(NoSource, match="declares no SOURCE_DATA of the space"):
        write_derived(
            run=run,
            source=faces.space,
            dataset=pairs,
            records=[Derived(sources=(0,))],
            now=now,
        )


def test_what_is_written_under_other_ordinals_of_the_same_space_came_from_the_whole(now):
    faces = filled("faces", 4, now)
    source = data(snapshot(faces, now, [0, 1]), Role.SOURCE_DATA)
    run = begin_run(plan=RunPlan(activity="TRANSFORM", inputs=(source,)), now=now)
    taken = finish_derivation(run=run, dataset=faces, ordinals=BitMap([3]), now=now)
    assert DatasetSnapshot.objects.filter(id=taken.id).exists()
    assert str(trained("m", now, data(taken))) in named(faces, 0)


@pytest.mark.parametrize("step", [embedded, captioned])
def test_what_a_hard_purge_traced_passes_on_to_what_is_derived_later(now, step):
    faces = filled("faces", 3, now)
    made, taken = summary_of(faces, now)
    before = trained("before", now, data(taken))
    erase_records(case_id=CASE, space=faces.space, ordinals=BitMap([0]), now=now, hard=True)
    assert str(before) in named(faces, 0)
    after = trained("after", now, data(step(made, taken, now)))
    assert (after.state, str(after) in named(faces, 0)) == ("QUARANTINED", True)


@pytest.mark.parametrize("same", [True, False], ids=["one case", "two cases"])
def test_a_forget_set_removes_what_it_held_and_nothing_that_is_purged_with_it(now, same):
    faces = filled("faces", 4, now)
    model = trained("m", now, data(snapshot(faces, now)))
    inputs = (base(model, Role.TEACHER), data(snapshot(faces, now, [1]), Role.FORGET))
    unlearned = trained("m", now, *inputs, activity="UNLEARN")
    for ordinal, case in ((1, CASE), (2, CASE if same else uuid.uuid4())):
        erase_records(
            case_id=case, space=faces.space, ordinals=BitMap([ordinal]), now=now, hard=True
        )
    assert named(faces, 2) == {str(model), str(unlearned)}
    if not same:  # of one purge it is not known which of its records act on a node
        assert named(faces, 1) == {str(model)}


def test_one_purge_of_two_records_removes_only_that_of_the_forget_set(now):
    faces = filled("faces", 4, now)
    model = trained("m", now, data(snapshot(faces, now)))
    forget = snapshot(faces, now, [1])
    inputs = (base(model, Role.TEACHER), data(forget, Role.FORGET))
    trained("first", now, *inputs, activity="UNLEARN")
    erase_records(case_id=CASE, space=faces.space, ordinals=BitMap([1, 2]), now=now, hard=True)
    again = trained("again", now, *inputs, activity="UNLEARN")
    assert str(again) in named(faces, 2)
    assert str(again) not in named(faces, 1)


def test_a_part_of_what_a_run_wrote_has_the_origin_of_that_run_alone(now):
    raw, made = filled("raw", 4, now), filled("made", 3, now)
    days = []
    for source, wrote in (([0], [0, 1]), ([3], [0, 2])):
        read = data(snapshot(raw, now, source), Role.SOURCE_DATA)
        run = begin_run(plan=RunPlan(activity="TRANSFORM", inputs=(read,)), now=now)
        days.append(finish_derivation(run=run, dataset=made, ordinals=BitMap(wrote), now=now))
    part = take_snapshot(dataset=made, ordinals=BitMap([0]), now=now, parent=days[0])
    model = str(trained("part", now, data(part)))
    assert (model in named(raw, 0), model in named(raw, 3)) == (True, False)
