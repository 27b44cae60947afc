"""The same set of events gives the same graph, whatever came first."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from functools import partial

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyroaring import BitMap

from lineage.models import (
    DatasetSnapshot,
    LineageEdge,
    LineageNode,
    ModelVersion,
    Run,
    RunInput,
    RunOutput,
)
from lineage.services.purge import erase_records
from lineage.services.restriction import restrict
from tests.lineage.builders import data, filled, snapshot, trained
from tests.lineage.events import RUN, event, faces, model, named, send

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
pytestmark = pytest.mark.django_db


def graph():
    """Return all nodes, edges, uses and runs by names that do not depend on the order."""
    objects: dict[uuid.UUID, tuple[str, ...]] = {
        one.id: (str(one.dataset), one.external_version, one.digest)
        for one in DatasetSnapshot.objects.select_related("dataset")
    }
    objects |= {one.id: (one.model_name, one.external_id) for one in ModelVersion.objects.all()}
    node = {one.id: objects[one.object_id] for one in LineageNode.objects.all()}
    run = dict(Run.objects.values_list("id", "external_id"))
    return {
        "nodes": sorted(node.values()),
        "edges": sorted(
            (node[src], node[dst], *rest)
            for src, dst, *rest in LineageEdge.objects.values_list(
                "src_id", "dst_id", "role", "influence", "valid_from"
            )
        ),
        "inputs": sorted(
            (run[pk], node[read], *rest)
            for pk, read, *rest in RunInput.objects.values_list(
                "run_id", "node_id", "role", "influence"
            )
        ),
        "outputs": sorted(
            (run[pk], node[written])
            for pk, written in RunOutput.objects.values_list("run_id", "node_id")
        ),
        "versions": sorted(
            (one.external_id, run[one.generated_by_id], one.state)
            for one in ModelVersion.objects.all()
        ),
        "runs": sorted(
            Run.objects.values_list("external_id", "state", "capture_level", "activity")
        ),
    }


def graph_of(events):
    """Return the graph that events give, and take it back."""
    with transaction.atomic():
        send(*events, now=NOW)
        found = graph()
        transaction.set_rollback(True)
    return found


erased_hard = partial(erase_records, hard=True)  # events still name the digest of before
ROLES = st.sampled_from(["", "TRAINING", "VALIDATION", "LABELS", "TEACHER", "TUNING", "FORGET"])
JOBS = st.sampled_from(["", "", "FINE_TUNE", "DISTILL", "UNLEARN"])


def _with_role(one, role):
    return {**one, "inputFacets": {**one.get("inputFacets", {}), "expunge_role": {"role": role}}}


def version_facet(version):
    return {"version": {"datasetVersion": version}}


def _inputs(stage, digest):
    """Return what a run of a stage may read: source data and what earlier stages wrote."""
    sources = [
        faces(0),
        faces(1, 2),
        {**faces(1), "facets": version_facet("v1")},
        named("faces"),
        named("faces", version="v1"),
        named("faces", version=digest),
        named("x", namespace="lake"),
        named("crops"),
        {**faces(0, ordinalSpace="crops"), "name": "crops"},
        {**faces(1, ordinalSpace="crops"), "name": "crops", "facets": version_facet("v1")},
        {**model("ours", "1"), "namespace": "expunge"},
        model("ours", "1"),
    ]
    made = [one for before in range(stage) for one in _outputs(before)]
    return st.builds(_with_role, st.sampled_from(sources + made), ROLES)


def _outputs(stage):
    return [
        model(f"m{stage}", "1"),
        model(f"m{stage}"),
        named("crops", namespace=f"lake{stage}"),
        named("crops", namespace=f"lake{stage}", version="v1"),
        named("crops"),  # of which there is a snapshot of ours
        named("crops", version=f"v{stage}"),
    ]


@st.composite
def _event(draw, digest):
    number = draw(st.integers(0, 5))
    stage = number // 2
    one = event(
        draw(st.sampled_from(["START", "RUNNING", "COMPLETE", "COMPLETE", "FAIL"])),
        at=draw(st.integers(0, 3)),
        inputs=draw(st.lists(_inputs(stage, digest), max_size=3)),
        outputs=draw(st.lists(st.sampled_from(_outputs(stage)), max_size=2)),
        run=uuid.UUID(int=number + 1),
    )
    one["job"]["facets"] = {"jobType": {"jobType": draw(JOBS)}}
    return one


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(drawn=st.data())
def test_events_in_any_order_give_one_graph(home, drawn):
    with transaction.atomic():
        dataset = filled("faces", 4, NOW)
        state = snapshot(dataset, NOW, [2, 3])
        trained("ours", NOW, data(state))
        trained("of crops", NOW, data(snapshot(filled("crops", 2, NOW), NOW)))
        stop = drawn.draw(st.sampled_from([None, restrict, erase_records, erased_hard]))
        if stop:  # then the state of each version must not depend on the order either
            stop(case_id=RUN, space=dataset.space, ordinals=BitMap([1, 2]), now=NOW)
        events = drawn.draw(st.lists(_event(state.digest), min_size=2, max_size=7))
        order = drawn.draw(st.permutations(events))
        assert graph_of(order) == graph_of(events)
        transaction.set_rollback(True)


def test_the_strongest_use_of_a_node_stands_whichever_was_told_first(now):
    filled("faces", 2, now)
    weak = event("COMPLETE", inputs=[named("faces", role="VALIDATION")], outputs=[model("m")])
    strong = event("OTHER", at=1, inputs=[named("faces", role="TRAINING")])
    for order in ([weak, strong], [strong, weak]):
        edges = graph_of(order)["edges"]
        assert [edge[2:4] for edge in edges] == [("TRAINING", "DIRECT")]


def test_an_activity_told_at_the_start_only_is_kept(now):
    start = event("START")
    start["job"] = {**start["job"], "facets": {"jobType": {"jobType": "DISTILL"}}}
    send(event("COMPLETE", at=1, outputs=[model("m")]), start, now=now)
    assert Run.objects.get(id=RUN).activity == "DISTILL"
