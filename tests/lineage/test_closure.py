"""From records to versions, on graphs of every shape."""

from __future__ import annotations

import pytest
from pyroaring import BitMap

from lineage.core.bitmaps import ChunkAltered
from lineage.models import LineageEdge, LineageNode, ModelVersion, Role, SnapshotChunk
from lineage.queries.closure import affected
from lineage.queries.graph_view import graph_view
from lineage.services.importing import ensure_dataset
from lineage.services.runs import Input, RunPlan, begin_run, finish_derivation
from lineage.services.versions import destroy_version, withdraw
from tests.lineage.builders import base, data, drawn_graph, filled, snapshot, trained
from tests.lineage.triggers import without_triggers

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def names(found):
    return [hit.version.model_name for hit in found.versions]


def test_a_chain_of_hundreds_is_followed_to_its_end(now):
    dataset = filled("faces", 2, now)
    chain = [{0: "DIRECT"}] + [{at: "DIRECT"} for at in range(1, 300)]
    made = drawn_graph(dataset, now, [{0}], chain, {})
    closure = affected(dataset.space, BitMap([0]))
    assert [hit.version for hit in closure.versions] == made
    assert [hit.depth for hit in closure.versions] == [*range(1, 301)]
    assert len(closure.versions[-1].path) == 300
    assert closure.not_affected == ()


def test_a_wide_fan_is_complete_and_costs_few_queries(now, django_assert_max_num_queries):
    dataset = filled("faces", 2, now)
    fan = [{0: "DIRECT"}] + [{1: "DIRECT"} for _ in range(600)]
    drawn_graph(dataset, now, [{0}], fan, {})
    with django_assert_max_num_queries(30):
        assert len(affected(dataset.space, BitMap([0])).versions) == 601


def test_a_ladder_of_diamonds_is_visited_once(now):
    dataset = filled("faces", 2, now)
    ladder = [{0: "DIRECT"}, {0: "DIRECT"}]  # two rungs on each level: 2^30 paths
    for at in range(1, 60, 2):
        ladder += [{at: "DIRECT", at + 1: "DIRECT"}] * 2
    drawn_graph(dataset, now, [{0, 1}], ladder, {})
    closure = affected(dataset.space, BitMap([1]))
    assert len(closure.versions) == len(ladder)
    assert closure.versions[-1].depth == 31


def test_a_path_names_what_was_read_and_why(now):
    taken = snapshot(filled("faces", 3, now), now)
    first = trained("base", now, data(taken))
    trained("tuned", now, base(first), activity="FINE_TUNE", capture_level="SNAPSHOT")
    _, tuned = affected(taken.space, BitMap([1])).versions
    assert [(step.source, step.role, step.influence) for step in tuned.path] == [
        ("faces@0", "TRAINING", "DIRECT"),
        ("base v1", "BASE_MODEL", "DIRECT"),
    ]
    assert (tuned.direct, tuned.depth, tuned.forget) == (False, 2, BitMap([1]))


def test_validation_data_acts_indirectly(now):
    dataset = filled("faces", 4, now)
    train, validate = snapshot(dataset, now, [0, 1]), snapshot(dataset, now, [2])
    trained("m", now, data(train), data(validate, Role.VALIDATION))
    (hit,) = affected(dataset.space, BitMap([2, 3])).versions
    assert (hit.influence, hit.forget) == ("INDIRECT", BitMap([2]))


def test_influence_crosses_derived_data(now):
    """Model -> synthetic data in another space -> model."""
    taken = snapshot(filled("faces", 3, now), now)
    teacher = trained("teacher", now, data(taken))
    synthetic = filled("synthetic", 2, now)
    run = begin_run(
        plan=RunPlan(activity="TRANSFORM", inputs=(Input(source=teacher, role="TEACHER"),)),
        now=now,
    )
    derived = finish_derivation(run=run, dataset=synthetic, ordinals=BitMap([0, 1]), now=now)
    student = trained("student", now, data(derived), activity="DISTILL")
    found = affected(taken.space, BitMap([2]))
    assert names(found) == ["teacher", "student"]
    assert found.versions[1].forget == BitMap([2])
    assert [step.source for step in found.versions[1].path] == [
        "faces@0",
        "teacher v1",
        "synthetic@0",
    ]
    assert names(affected(synthetic.space, BitMap([0]))) == ["student"]
    assert derived.generated_by == run
    view = graph_view(student)
    assert [shown.label for shown in view.ancestors] == ["faces@0", "teacher v1", "synthetic@0"]
    assert len(view.edges) == 3
    assert [shown.label for shown in graph_view(teacher).descendants] == [
        "synthetic@0",
        "student v1",
    ]


def test_what_was_unlearned_is_affected_no_more_nor_are_its_children(now):
    dataset = filled("faces", 4, now)
    taken = snapshot(dataset, now)
    original = trained("m", now, data(taken))
    forget = snapshot(dataset, now, [1, 2])
    unlearned = trained(
        "m",
        now,
        data(taken),
        base(original, Role.TEACHER),
        data(forget, Role.FORGET),
        activity="UNLEARN",
        used=BitMap([0, 3]),
    )
    child = trained("child", now, base(unlearned), capture_level="SNAPSHOT")
    assert [hit.version for hit in affected(dataset.space, BitMap([1, 2])).versions] == [original]
    both = affected(dataset.space, BitMap([2, 3]))
    assert [(hit.version, set(hit.forget)) for hit in both.versions] == [
        (original, {2, 3}),
        (unlearned, {3}),
        (child, {3}),
    ]


def test_an_uncaptured_version_is_possibly_affected_and_so_are_its_children(now):
    dataset, other = filled("faces", 2, now), filled("voices", 2, now)
    here, there = snapshot(dataset, now, [0]), snapshot(other, now)
    blind = trained("blind", now, capture_level="NONE")
    child = trained("child", now, base(blind), capture_level="SNAPSHOT")
    hinted = trained("hinted", now, data(here), capture_level="NONE")
    elsewhere = trained("elsewhere", now, data(there), capture_level="NONE")
    clean = trained("clean", now, data(there))
    found = affected(dataset.space, BitMap([1]))
    assert found.versions == ()
    assert set(found.unknown) == {blind, child, hinted}
    assert set(found.not_affected) == {elsewhere, clean}
    sure = affected(dataset.space, BitMap([0]))
    assert names(sure) == ["hinted"]
    assert hinted not in sure.unknown


def test_shadows_are_shown_on_request_only(now):
    taken = snapshot(filled("faces", 2, now), now)
    shadow = trained("s", now, data(taken), activity="SHADOW", kind=ModelVersion.Kind.SHADOW)
    assert affected(taken.space, BitMap([0])).versions == ()
    (hit,) = affected(taken.space, BitMap([0]), include_shadows=True).versions
    assert hit.version == shadow


def test_what_came_from_a_destroyed_version_is_still_affected(now):
    taken = snapshot(filled("faces", 2, now), now)
    first = trained("first", now, data(taken))
    trained("second", now, base(first))
    destroy_version(version=first, by_case=first.id, now=now)
    assert names(affected(taken.space, BitMap([0]))) == ["second"]
    withdraw(version=ModelVersion.objects.get(model_name="second"), by_case=first.id, now=now)
    assert names(affected(taken.space, BitMap([0]))) == ["second"]


def test_nothing_is_affected_by_nothing(now):
    taken = snapshot(filled("faces", 2, now), now)
    version = trained("m", now, data(taken))
    closure = affected(taken.space, BitMap())
    assert (closure.versions, closure.unknown, closure.not_affected) == ((), (), (version,))
    assert affected(ensure_dataset(name="empty").space, BitMap([0])).versions == ()


def test_a_damaged_chunk_stops_the_answer(now):
    taken = snapshot(filled("faces", 2, now), now)
    with without_triggers():
        SnapshotChunk.objects.update(cardinality=1)
    with pytest.raises(ChunkAltered, match="faces"):
        affected(taken.space, BitMap([0]))


def test_models_said_to_come_from_one_another_are_both_affected(now):
    taken = snapshot(filled("faces", 2, now), now)
    one = trained("one", now, data(taken))
    two = trained("two", now, base(one))
    nodes = {node.object_id: node for node in LineageNode.objects.all()}
    LineageEdge.objects.create(
        src=nodes[two.id],
        dst=nodes[one.id],
        role="TEACHER",
        influence="DIRECT",
        run=one.generated_by,
        valid_from=now,
    )
    found = affected(taken.space, BitMap([0]))
    assert {hit.version for hit in found.versions} == {one, two}
