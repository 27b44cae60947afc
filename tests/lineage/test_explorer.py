"""What is drawn is bounded, hides nothing unknown, and leaves out nothing unsaid."""

from __future__ import annotations

import uuid
from contextlib import contextmanager

import networkx as nx
import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyroaring import BitMap

from lineage.core.folding import FAMILY
from lineage.models import Dataset, ModelVersion, Role, Run
from lineage.queries.closure import affected
from lineage.queries.explorer import explore
from lineage.queries.graph_region import Asked
from lineage.queries.subjects import records_of
from lineage.services.runs import RunPlan, begin_run, finish_derivation
from tests.lineage.builders import base, data, filled, found, snapshot, trained
from tests.lineage.worlds import NAMES, worlds, written

pytestmark = [pytest.mark.django_db, pytest.mark.database]


@contextmanager
def there(world):
    """Write a world, and take it away again."""
    with transaction.atomic():
        yield written(world)
        transaction.set_rollback(True)


def graph_of(explored):
    graph = nx.DiGraph([(line.source, line.target) for line in explored.lines])
    graph.add_nodes_from(node.name for node in explored.nodes)
    return graph


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(world=worlds(), shown=st.integers(1, 12), alone=st.sets(st.sampled_from(NAMES)))
def test_any_picture_of_any_world_is_honest(world, shown, alone):
    with there(world):
        opened = {
            f"{FAMILY}{one}"
            for one in Dataset.objects.filter(name__in=alone).values_list("id", flat=True)
        }
        for asked in [
            *(Asked(version=one) for one in ModelVersion.objects.all()[:3]),
            *(Asked(dataset=one) for one in Dataset.objects.all()[:2]),
        ]:
            explored = explore(asked, opened=opened, shown=shown)
            graph = graph_of(explored)
            places = {node.name: node.place for node in explored.nodes}
            assert len(set(places.values())) == len(places) == len(graph)
            assert all(
                line.back or places[line.source].layer < places[line.target].layer
                for line in explored.lines
            )
            assert explored.unknown_left_out == 0
            known = sum(not node.unknown for node in explored.nodes)
            between = sum(node.unknown for node in explored.nodes)
            assert known + between <= max(shown, len(graph))
            centres = {node.name for node in explored.nodes if not node.hops}
            for node in explored.nodes:
                assert any(
                    nx.has_path(graph, one, node.name) or nx.has_path(graph, node.name, one)
                    for one in centres
                )
                models = [one for one in node.members if one.dataset is None]
                assert len(models) < 2 or not any(one.unknown for one in models)


def test_the_picture_of_a_person_has_every_version_that_the_closure_names(now):
    faces, others = filled("faces", 9, now), filled("others", 3, now)
    first = trained("m", now, data(snapshot(faces, now, range(4))))
    tuned = trained("tuned", now, base(first), capture_level="SNAPSHOT")
    trained("apart", now, data(snapshot(others, now)), capture_level="SNAPSHOT")
    lost = trained("lost", now, capture_level="NONE")
    below = trained("below", now, base(lost), capture_level="SNAPSHOT")
    person = found("person0@example.org")
    explored = explore(Asked(person=person))
    answers = [affected(space, held) for space, held in records_of(person).items()]
    sure = {hit.version.pk: len(hit.forget) for one in answers for hit in one.versions}
    assert {tuned.pk, first.pk} <= sure.keys()
    shown = {one.first.object_id: one for one in explored.nodes if one.first.dataset is None}
    assert {pk: shown[pk].touched for pk in sure} == sure
    unknown = {version.pk for one in answers for version in one.unknown}
    assert unknown == {pk for pk, one in shown.items() if one.possible} == {lost.pk, below.pk}
    assert shown.keys() == sure.keys() | unknown
    assert (str(lost.pk), str(below.pk)) in graph_of(explored).edges


def test_a_version_and_a_data_set_that_may_have_a_person_are_drawn_as_possibly_affected(now):
    """An untold run wrote one state of a data set, and the version read another one."""
    filled("faces", 9, now)
    made = filled("made", 3, now)
    plan = RunPlan(activity=Run.Activity.SYNTHESISE)
    run = begin_run(plan=plan, now=now)
    finish_derivation(run=run, dataset=made, ordinals=BitMap([0]), now=now)
    Run.objects.filter(pk=run.pk).update(capture_level=Run.Capture.NONE)
    read = snapshot(made, now, range(1, 3))
    model = trained("m", now, data(read))
    person = found("person2@example.org")
    (unknown,) = affected(*next(iter(records_of(person).items()))).unknown
    assert unknown == model
    explored = explore(Asked(version=model, person=person))
    assert (explored.way_found, explored.possibly) == (False, True)
    (shown,) = (one for one in explored.nodes if one.first.object_id == model.pk)
    assert shown.possible
    about_data = explore(Asked(dataset=made, person=person))
    assert about_data.possibly
    assert all(one.possible for one in about_data.nodes)
    assert not explore(Asked(version=model, dataset=made)).possibly


def test_records_that_are_not_in_the_space_are_of_nobody(now):
    filled("faces", 3, now)
    person = found("person0@example.org")
    explored = explore(Asked(person=person))
    assert (explored.nodes, explored.records) == ((), 3)


def synthesised(generator, dataset, now):
    """Return a snapshot of what a model wrote."""
    plan = RunPlan(activity=Run.Activity.SYNTHESISE, inputs=(base(generator, Role.GENERATOR),))
    run = begin_run(plan=plan, now=now)
    return finish_derivation(run=run, dataset=dataset, ordinals=BitMap([0]), now=now)


def test_data_that_a_model_wrote_from_earlier_such_data_is_not_drawn_as_its_own_origin(now):
    faces, made = filled("faces", 1, now), filled("made", 1, now)
    start = snapshot(faces, now)
    taken = []
    model = trained("m", now, data(start))
    for _ in range(3):
        taken += [synthesised(model, made, now), synthesised(model, made, now)]
        model = trained("m", now, *(data(one) for one in taken[-2:]))
    explored = explore(Asked(dataset=faces))
    assert nx.is_directed_acyclic_graph(graph_of(explored))
    families = [len(one.members) for one in explored.nodes if len(one.members) > 1]
    assert families == [2, 2, 2]  # by generation
    assert nx.dag_longest_path_length(graph_of(explored)) == 7


def test_no_data_set_without_snapshots_is_drawn(now):
    assert explore(Asked(dataset=Dataset(pk=uuid.uuid4()))).nodes == ()
