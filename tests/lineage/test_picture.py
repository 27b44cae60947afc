"""What is drawn is bounded, without cycles, and says what it leaves out."""

from __future__ import annotations

import networkx as nx
import pytest
from pyroaring import BitMap

from lineage.models import Role, Run
from lineage.queries.edges import edges_below
from lineage.queries.nodes import nodes_of
from lineage.queries.picture import picture, to_networkx
from lineage.services.runs import RunPlan, begin_run, finish_derivation
from tests.lineage.builders import base, data, drawn_graph, filled, snapshot, trained

pytestmark = pytest.mark.django_db


@pytest.fixture
def family(now):
    """Five snapshots of one data set, a version on each, and a chain of two from the last."""
    dataset = filled("faces", 5, now)
    taken = [snapshot(dataset, now, range(at + 1)) for at in range(5)]
    versions = [trained(f"m{at}", now, data(one)) for at, one in enumerate(taken)]
    tuned = trained("tuned", now, base(versions[4]), capture_level="SNAPSHOT")
    return taken, tuned


def test_the_snapshots_of_a_data_set_are_drawn_as_one(family):
    taken, tuned = family
    centres = list(nodes_of(one.id for one in taken).values())
    drawn = picture(centres)
    kinds = sorted(data["kind"] for _, data in drawn.graph.nodes(data=True))
    assert kinds == ["FAMILY"] + ["MODEL"] * 6
    assert (drawn.graph.nodes[f"family:{taken[0].dataset_id}"]["label"], drawn.left_out) == (
        "faces (5 snapshots)",
        {},
    )
    assert len(picture(centres, expanded=[taken[0].dataset_id]).graph) == 11
    assert nx.has_path(drawn.graph, f"family:{taken[0].dataset_id}", str(tuned.id))


def test_what_does_not_fit_is_named_and_the_nearest_is_drawn(family):
    taken, tuned = family
    centres = list(nodes_of(one.id for one in taken).values())
    drawn = picture(centres, most=4)
    assert (len(drawn.graph), len(drawn.left_out)) == (4, 3)
    assert drawn.left_out[str(tuned.id)] == "tuned v1"


def test_the_graph_for_analysis_has_every_edge(family):
    taken, tuned = family
    nodes = nodes_of([taken[4].id, tuned.id])
    graph = to_networkx(edges_below([nodes[taken[4].id]]))
    assert nx.shortest_path_length(graph, nodes[taken[4].id], nodes[tuned.id]) == 2


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
    unused = snapshot(made, now)
    drawn = picture(list(nodes_of([start.id, unused.id]).values())).graph
    assert nx.is_directed_acyclic_graph(drawn)
    families = [look["count"] for _, look in drawn.nodes(data=True) if look["kind"] == "FAMILY"]
    assert families == [2, 2, 3]  # by generation; the last with the unused one
    assert nx.dag_longest_path_length(drawn) == 7


def test_whatever_is_drawn_hangs_on_the_centre_by_what_is_drawn(now):
    """A sibling through an ancestor is near, but the way to it would not be drawn."""
    dataset = filled("faces", 2, now)
    chain = [{0: "DIRECT"}] + [{at: "DIRECT"} for at in range(1, 6)]
    made = drawn_graph(dataset, now, [{0}], [*chain, {3: "DIRECT", 6: "DIRECT"}], {})
    (centre,) = nodes_of([made[3].id]).values()
    drawn = picture([centre], most=5)
    below = nx.descendants(drawn.graph, str(made[3].id))
    above = nx.ancestors(drawn.graph, str(made[3].id))
    assert below | above | {str(made[3].id)} == set(drawn.graph)


def test_a_long_chain_and_a_wide_fan_are_drawn_in_part_and_named_in_full(now):
    dataset = filled("faces", 2, now)
    chain = [{0: "DIRECT"}] + [{at: "DIRECT"} for at in range(1, 160)]
    made = drawn_graph(dataset, now, [{0}], [*chain, *[{160: "DIRECT"}] * 300], {})
    (centre,) = to_centres(dataset)
    drawn = picture([centre], most=50)
    assert nx.is_directed_acyclic_graph(drawn.graph)
    names = {str(version.id) for version in made}
    assert names == {*drawn.graph, *drawn.left_out} - {f"family:{dataset.id}"}
    assert len(drawn.graph) == 50


def to_centres(dataset):
    return nodes_of(dataset.snapshots.values_list("id", flat=True)).values()
