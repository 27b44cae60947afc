"""What arrives late, about data that was derived or a base that was not known, still counts."""

from __future__ import annotations

import uuid

import pytest
from pyroaring import BitMap

from lineage.models import ModelVersion, Role, RunInput
from lineage.queries.closure import affected
from lineage.queries.nodes import nodes_of
from lineage.queries.standing import barred_records_used
from lineage.services.derivation import Derived, ensure_derived_dataset, write_derived
from lineage.services.purge import erase_records
from lineage.services.rejudging import judge_below
from lineage.services.restriction import restrict
from lineage.services.runs import Input, RunPlan, begin_run, finish_derivation
from lineage.services.versions import VersionNotReleasable, quarantine, release, withdraw
from tests.lineage.builders import base, data, filled, snapshot, trained

pytestmark = [pytest.mark.django_db, pytest.mark.database]

CASE = uuid.uuid4()


def mapped(parent, name, sources, now):
    """Write a data set of one record for each set of sources, with a map; return a snapshot."""
    dataset = ensure_derived_dataset(name=name, parent=parent, one_for_one=False)
    read = data(snapshot(parent, now), Role.SOURCE_DATA)
    return write_derived(
        run=begin_run(plan=RunPlan(activity="TRANSFORM", inputs=(read,)), now=now),
        source=parent.space,
        dataset=dataset,
        records=[Derived(sources=one) for one in sources],
        now=now,
    )


def as_a_whole(taken, name, now, *more: Input):
    """Derive a data set of one record from a snapshot, without a map; return a snapshot."""
    plan = RunPlan(activity="TRANSFORM", inputs=(data(taken, Role.SOURCE_DATA), *more))
    run = begin_run(plan=plan, now=now)
    made = filled(name, 1, now)
    return finish_derivation(run=run, dataset=made, ordinals=BitMap([0]), now=now)


def standing(version):
    return version.state, version.metrics.get("barred_records_used", 0)


@pytest.mark.parametrize("hard", [False, True])
def test_what_was_derived_as_a_whole_keeps_the_mark_of_an_erased_record(now, hard):
    faces = filled("faces", 3, now)
    summary = as_a_whole(snapshot(faces, now, [0, 1]), "summary", now)
    before = trained("before", now, data(summary))
    erase_records(case_id=CASE, space=faces.space, ordinals=BitMap([0]), now=now, hard=hard)
    after = trained("after", now, data(summary))
    assert standing(after)[0] == "QUARANTINED"
    found = affected(faces.space, BitMap([0])).versions
    assert {hit.version for hit in found} == {before, after}
    fresh = trained("fresh", now, data(snapshot(faces, now, [1, 2])))
    assert standing(fresh) == ("ACTIVE", 0)


def test_an_untold_run_on_what_was_derived_as_a_whole_is_possibly_affected(now):
    faces = filled("faces", 3, now)
    summary = as_a_whole(snapshot(faces, now, [0, 1]), "summary", now)
    version = trained("m", now, data(summary), capture_level="NONE")
    assert version in affected(faces.space, BitMap([2])).unknown


def test_a_candidate_is_not_released_once_its_base_is_out_of_use(now):
    faces = filled("faces", 3, now)
    first = trained("first", now, data(snapshot(faces, now)))
    child = trained("child", now, base(first), data(snapshot(faces, now, [1])), release=False)
    withdraw(version=first, by_case=CASE, now=now)
    with pytest.raises(VersionNotReleasable, match="was made from first v1, which is out of use"):
        release(version=child)


@pytest.mark.parametrize(
    ("stop", "state"), [(restrict, "WITHDRAWN"), (erase_records, "QUARANTINED")]
)
def test_a_late_run_on_records_derived_from_a_stopped_one_is_born_affected(now, stop, state):
    faces = filled("faces", 4, now)
    captions = mapped(faces, "captions", [(0,), (1, 2), (3,)], now)
    words = mapped(captions.dataset, "words", [(0,), (1,)], now)
    stop(case_id=CASE, space=faces.space, ordinals=BitMap([2]), now=now)
    assert standing(trained("on captions", now, data(captions))) == (state, 1)
    assert standing(trained("in two steps", now, data(words))) == (state, 1)
    clean = snapshot(captions.dataset, now, [0, 2])
    assert standing(trained("on others", now, data(clean))) == ("ACTIVE", 0)


def test_a_late_run_on_data_derived_as_a_whole_is_born_affected(now):
    faces = filled("faces", 4, now)
    taken = snapshot(faces, now, [0, 1])
    summary = as_a_whole(taken, "summary", now)
    apart = as_a_whole(snapshot(faces, now, [3]), "apart", now)
    erase_records(case_id=CASE, space=faces.space, ordinals=BitMap([0]), now=now)
    assert standing(trained("m", now, data(summary))) == ("QUARANTINED", 1)
    assert standing(trained("n", now, data(apart))) == ("ACTIVE", 0)


def test_what_a_run_removed_on_purpose_does_not_come_back_through_derived_data(now):
    faces = filled("faces", 4, now)
    taken, forget = snapshot(faces, now, [0, 1]), snapshot(faces, now, [0])
    whole = as_a_whole(taken, "whole", now)
    cleaned = as_a_whole(taken, "cleaned", now, data(forget, Role.FORGET))
    erase_records(case_id=CASE, space=faces.space, ordinals=BitMap([0]), now=now)
    assert standing(trained("m", now, data(cleaned))) == ("ACTIVE", 0)
    own = trained("n", now, data(whole), data(forget, Role.FORGET), activity="UNLEARN")
    assert standing(own) == ("ACTIVE", 0)
    assert affected(faces.space, BitMap([0])).versions == ()


def test_a_candidate_that_learned_from_derived_records_is_not_released(now):
    faces = filled("faces", 2, now)
    captions = mapped(faces, "captions", [(0,), (1,)], now)
    version = trained("m", now, data(captions), release=False)
    restrict(case_id=CASE, space=faces.space, ordinals=BitMap([1]), now=now)
    with pytest.raises(VersionNotReleasable, match="trained on 1 records"):
        release(version=version)


def test_data_that_a_model_out_of_use_wrote_makes_its_reader_born_affected(now):
    faces = filled("faces", 2, now)
    generator = trained("generator", now, data(snapshot(faces, now)))
    inputs = (base(generator, Role.GENERATOR),)
    run = begin_run(plan=RunPlan(activity="SYNTHESISE", inputs=inputs), now=now)
    made = filled("made", 1, now)
    written = finish_derivation(run=run, dataset=made, ordinals=BitMap([0]), now=now)
    assert trained("before", now, data(written)).state == "ACTIVE"
    withdraw(version=generator, by_case=CASE, now=now)
    student = trained("after", now, data(written))
    assert (student.state, student.metrics["sources_out_of_use"]) == (
        "WITHDRAWN",
        ["generator v1"],
    )
    assert barred_records_used(student.generated_by) == 0


# --- a base that joins late -----------------------------------------------------------------


@pytest.fixture
def line(now):
    """A base whose origin is not known yet, and what was captured on it and on what it wrote."""
    faces = filled("faces", 3, now)
    origin = trained("base", now, capture_level="NONE")
    child = trained("child", now, base(origin), guarantee="EXACT")
    run = begin_run(
        plan=RunPlan(activity="SYNTHESISE", inputs=(base(child, Role.GENERATOR),)), now=now
    )
    made = filled("made", 1, now)
    written = finish_derivation(run=run, dataset=made, ordinals=BitMap([0]), now=now)
    student = trained("student", now, data(written), guarantee="EXACT")
    return faces, origin, child, student


def states(*versions: ModelVersion):
    found = ModelVersion.objects.in_bulk([one.id for one in versions])
    return [(found[one.id].state, found[one.id].guarantee) for one in versions]


def test_a_guarantee_becomes_as_weak_as_that_of_a_base_told_later(now, line):
    _, origin, child, student = line
    ModelVersion.objects.filter(id=origin.id).update(guarantee="APPROXIMATE")
    assert judge_below(version=origin, now=now) == [child, student]
    assert states(child, student) == [("ACTIVE", "APPROXIMATE")] * 2
    assert judge_below(version=origin, now=now) == []


def test_what_came_from_a_base_told_later_goes_out_of_use_with_it(now, line):
    faces, origin, child, student = line
    taken = snapshot(faces, now, [0])
    told = Input(source=taken)
    RunInput.objects.create(
        run=origin.generated_by,
        node_id=nodes_of([taken.id])[taken.id],
        role=told.role,
        influence=told.effect,
    )
    erase_records(case_id=CASE, space=faces.space, ordinals=BitMap([0]), now=now)
    quarantine(version=origin, now=now)
    assert judge_below(version=origin, now=now) == [child, student]
    assert states(child, student) == [("WITHDRAWN", "EXACT")] * 2


def test_a_version_without_descendants_changes_nothing(now, line):
    *_, student = line
    assert judge_below(version=student, now=now) == []
