"""OpenLineage events become one and the same graph, in any order."""

from __future__ import annotations

import itertools
import uuid

import pytest
from pyroaring import BitMap

from lineage.models import DatasetSnapshot, LineageEdge, ModelVersion, Run, RunInput
from lineage.queries.closure import affected
from lineage.services.importing import ensure_dataset
from lineage.services.purge import erase_records
from tests.lineage.builders import filled, snapshot
from tests.lineage.events import RUN, event, faces, model, names, send

pytestmark = pytest.mark.django_db


def test_membership_of_a_facet_leads_to_the_version(now):
    dataset = filled("faces", 4, now)
    send(
        event("START", inputs=[faces(0, 2)]),
        event("COMPLETE", at=1, outputs=[model("m", "7")]),
        now=now,
    )
    (hit,) = affected(dataset.space, BitMap([0, 1])).versions
    assert (str(hit.version), set(hit.forget)) == ("m v1", {0})
    assert hit.version.external_id == "openlineage:registry/m#7"
    run = Run.objects.get(id=RUN)
    assert (run.state, run.capture_level, str(run.procedure)) == (
        "COMPLETE",
        "REPORTED",
        "ci/nightly",
    )


EVENTS = [
    event("START", inputs=[faces(0, 2)]),
    event("RUNNING", at=1, inputs=[model("base", "1")]),
    event("RUNNING", at=2, outputs=[model("m")]),
    event("COMPLETE", at=3, inputs=[{"namespace": "default", "name": "faces"}]),
]


def graph():
    return {
        "run": list(Run.objects.filter(id=RUN).values_list("state", "capture_level", "activity")),
        "inputs": sorted(
            RunInput.objects.filter(run=RUN).values_list("role", "influence", "node__kind")
        ),
        "edges": sorted(LineageEdge.objects.values_list("role", "influence", "valid_from")),
        "versions": sorted(ModelVersion.objects.values_list("model_name", "version", "state")),
        "snapshots": sorted(DatasetSnapshot.objects.values_list("record_count", flat=True)),
    }


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_events_may_come_in_any_order_and_more_than_once(now, order):
    filled("faces", 4, now)
    for at in order:
        assert send(EVENTS[at], EVENTS[at], now=now) == [True, False]
    found = graph()
    assert found["run"] == [("COMPLETE", "REPORTED", "TRAIN")]
    assert found["inputs"] == [
        ("BASE_MODEL", "DIRECT", "MODEL"),
        ("TRAINING", "DIRECT", "SNAPSHOT"),  # the data set as it was named
        ("TRAINING", "DIRECT", "SNAPSHOT"),  # the members that were read
    ]
    assert [edge[:2] for edge in found["edges"]] == [
        ("BASE_MODEL", "DIRECT"),
        ("TRAINING", "DIRECT"),
        ("TRAINING", "DIRECT"),
    ]
    assert found["versions"] == [("base", 1, "ACTIVE"), ("m", 1, "ACTIVE")]
    assert found["snapshots"] == [0, 2]
    assert names(affected(ensure_dataset(name="faces").space, BitMap([2]))) == ["m v1"]


CHAIN = [
    event("COMPLETE", inputs=[faces(0)], outputs=[model("first", "1")], run=uuid.UUID(int=1)),
    event(
        "COMPLETE",
        at=1,
        inputs=[model("first", "1")],
        outputs=[model("second", "1")],
        run=uuid.UUID(int=2),
    ),
    event(
        "COMPLETE",
        at=2,
        inputs=[model("second", "1")],
        outputs=[model("third", "1")],
        run=uuid.UUID(int=3),
    ),
]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_runs_may_come_before_those_they_were_derived_from(now, order):
    dataset = filled("faces", 4, now)
    send(*(CHAIN[at] for at in order), now=now)
    assert names(affected(dataset.space, BitMap([0]))) == ["first v1", "second v1", "third v1"]
    assert ModelVersion.objects.count() == Run.objects.count() == 3


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_what_was_derived_from_an_erased_person_is_out_of_use_in_any_order(now, order):
    dataset = filled("faces", 4, now)
    erase_records(case_id=RUN, space=dataset.space, ordinals=BitMap([0]), now=now)
    send(*(CHAIN[at] for at in order), now=now)
    states = dict(ModelVersion.objects.values_list("model_name", "state"))
    assert states == {"first": "QUARANTINED", "second": "WITHDRAWN", "third": "WITHDRAWN"}


def test_a_run_without_membership_is_possibly_affected(now):
    dataset, other = filled("faces", 2, now), filled("voices", 2, now)
    source = {"namespace": "default", "name": "faces"}
    send(event("COMPLETE", inputs=[source], outputs=[model("m")]), now=now)
    assert [str(v) for v in affected(dataset.space, BitMap([0])).unknown] == ["m v1"]
    assert [str(v) for v in affected(other.space, BitMap([0])).not_affected] == ["m v1"]


def test_a_version_that_is_a_known_digest_is_that_snapshot(now):
    dataset = filled("faces", 3, now)
    taken = snapshot(dataset, now, [1])
    source = {
        "namespace": "default",
        "name": "faces",
        "facets": {"version": {"datasetVersion": taken.digest}},
    }
    send(event("COMPLETE", inputs=[source], outputs=[model("m")]), now=now)
    assert names(affected(dataset.space, BitMap([1]))) == ["m v1"]
    assert DatasetSnapshot.objects.count() == 1


@pytest.mark.parametrize("kind", ["ABORT", "FAIL"])
def test_a_run_that_failed_has_no_version(now, kind):
    filled("faces", 2, now)
    send(event("START", inputs=[faces(0)], outputs=[model("m")]), event(kind, at=1), now=now)
    assert Run.objects.get(id=RUN).state == "INCOMPLETE"
    assert not ModelVersion.objects.exists()


def test_synthetic_data_and_what_is_trained_on_it_are_followed(now):
    dataset = filled("faces", 2, now)
    synthetic = {"namespace": "lake", "name": "synthetic"}
    teacher, student = uuid.UUID(int=1), uuid.UUID(int=2)
    send(
        event("COMPLETE", inputs=[faces(0)], outputs=[model("generator", "1")]),
        event(
            "COMPLETE",
            at=1,
            run=teacher,
            inputs=[model("generator", "1")],
            outputs=[{**synthetic, "facets": {"version": {"datasetVersion": "a"}}}],
        ),
        event(
            "COMPLETE",
            at=2,
            run=student,
            inputs=[{**synthetic, "facets": {"version": {"datasetVersion": "a"}}}],
            outputs=[model("student")],
        ),
        now=now,
    )
    assert names(affected(dataset.space, BitMap([0]))) == ["generator v1", "student v1"]
