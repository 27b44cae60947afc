"""OpenLineage events, sent by the official client and by hand, become one and the same graph."""

from __future__ import annotations

import itertools
import json
import uuid

import pytest
from openlineage.client import OpenLineageClient
from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, RunEvent, RunState
from openlineage.client.event_v2 import Run as ClientRun
from openlineage.client.facet_v2 import (
    dataset_type_dataset,
    dataset_version_dataset,
)
from openlineage.client.transport.http import HttpConfig, HttpTransport
from pyroaring import BitMap

from lineage.core.openlineage import EventUnreadable, parse
from lineage.models import (
    DatasetSnapshot,
    LineageEdge,
    ModelVersion,
    ReceivedEvent,
    Run,
    RunInput,
)
from lineage.queries.closure import affected
from lineage.queries.membership import members
from lineage.services.import_rows import Row
from lineage.services.importing import ensure_dataset, import_records
from lineage.services.openlineage import receive
from lineage.services.purge import erase_records
from lineage.services.restriction import restrict
from tests.lineage.builders import filled, snapshot
from tests.lineage.events import RUN, TIMES, event, faces, model, names, send
from tests.lineage.remote import key

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


@pytest.mark.parametrize(
    ("stop", "state"), [(restrict, "WITHDRAWN"), (erase_records, "QUARANTINED")]
)
def test_a_version_of_stopped_records_is_born_affected(now, stop, state):
    dataset = filled("faces", 2, now)
    send(event("START", inputs=[faces(0)]), now=now)
    stop(case_id=RUN, space=dataset.space, ordinals=BitMap([0]), now=now)
    send(event("COMPLETE", at=1, outputs=[model("m")]), now=now)
    assert ModelVersion.objects.get().state == state


def test_files_that_a_subset_names_are_the_records_imported_from_them(now):
    rows = [
        Row(
            line=at,
            key=f"k{at}",
            subject="anna@example.org",
            content=None,
            location=f"s3://bucket/{at}.jpg",
        )
        for at in range(3)
    ]
    import_records(dataset_name="faces", rows=rows, now=now)
    space = ensure_dataset(name="faces").space

    def files(*numbers: int):
        locations = [f"s3://bucket/{number}.jpg" for number in numbers]
        condition = {"type": "location", "locations": locations}
        subset = {"subset": {"inputCondition": condition}}
        return {"namespace": "default", "name": "faces", "inputFacets": subset}

    send(event("COMPLETE", inputs=[files(0, 2)], outputs=[model("m")]), now=now)
    assert names(affected(space, BitMap([2]))) == ["m v1"]
    assert affected(space, BitMap([1])).unknown == ()
    assert "bucket" not in json.dumps(list(ReceivedEvent.objects.values_list("body", flat=True)))
    other = uuid.UUID(int=5)
    send(event("COMPLETE", run=other, inputs=[files(0, 9)], outputs=[model("n")]), now=now)
    # One file is not known, so who else is in it is not known either.
    assert [str(v) for v in affected(space, BitMap([1])).unknown] == ["n v1"]


def test_an_erased_record_is_not_matched_any_more(now):
    row = Row(line=1, key="k", subject="a@example.org", content=b"x", location="file:///a")
    import_records(dataset_name="faces", rows=[row], now=now)
    space = ensure_dataset(name="faces").space
    erase_records(case_id=RUN, space=space, ordinals=BitMap([0]), now=now)
    condition = {"type": "location", "locations": ["file:///a"]}
    source = {
        "namespace": "default",
        "name": "faces",
        "inputFacets": {"subset": {"inputCondition": condition}},
    }
    send(event("COMPLETE", inputs=[source], outputs=[model("m")]), now=now)
    assert Run.objects.get().capture_level == "NONE"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"run": {"runId": "7"}}, "run.runId must be a UUID"),
        ({"eventType": "DONE"}, "eventType must be one of START"),
        ({"eventTime": "yesterday"}, "eventTime must be a time"),
        ({"job": {"namespace": "ci"}}, "name must be a text"),
        ({"inputs": [faces(1, cardinality=9)]}, "cardinality is not that of its bitmap"),
        ({"inputs": [faces(1, bitmap="!!")]}, "bitmap must be base64"),
        ({"inputs": ["faces"]}, "Each of inputs and outputs is an object"),
    ],
)
def test_an_event_that_cannot_be_read_is_refused_by_field(change, sentence):
    with pytest.raises(EventUnreadable, match=sentence):
        parse({**event("START"), **change})


# --- over HTTP ------------------------------------------------------------------------------


def posted(client, address, body, secret):
    return client.post(
        f"/api/v1/{address}",
        json.dumps(body),
        content_type="application/json",
        headers={"authorization": f"Bearer {secret}"},
    )


def test_a_batch_keeps_the_good_events_and_names_the_others(client, now):
    filled("faces", 2, now)
    body = [event("START", inputs=[faces(0)]), {"no": "event"}, event("COMPLETE", at=1)]
    answer = posted(client, "lineage/batch", body, key("lineage:write")).json()
    assert (answer["status"], answer["summary"]) == (
        "partial_success",
        {"received": 3, "successful": 2, "failed": 1},
    )
    assert answer["failed_events"][0]["index"] == 1
    assert Run.objects.get().state == "COMPLETE"


@pytest.mark.parametrize(
    ("body", "scope", "status"),
    [
        (event("START"), "capture", 403),
        ({"no": "event"}, "lineage:write", 422),
        (event("START", inputs=[faces(0, ordinalSpace="x")]), "lineage:write", 422),
    ],
)
def test_what_is_refused_is_a_problem_with_a_sentence(client, body, scope, status):
    answer = posted(client, "lineage", body, key(scope))
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")
    assert answer.json()["detail"]


@pytest.mark.django_db(transaction=True)
def test_the_official_client_reports_a_training_unchanged(live_server, now):
    dataset = filled("faces", 3, now)
    taken = snapshot(dataset, now, [1])
    config = HttpConfig.from_dict(
        {"url": live_server.url, "auth": {"type": "api_key", "apiKey": key("lineage:write")}}
    )
    client = OpenLineageClient(transport=HttpTransport(config))
    run, job = ClientRun(runId=str(RUN)), Job(namespace="ci", name="nightly")
    version = dataset_version_dataset.DatasetVersionDatasetFacet(datasetVersion=taken.digest)
    read = InputDataset(namespace="default", name="faces", facets={"version": version})
    kind = dataset_type_dataset.DatasetTypeDatasetFacet(datasetType="MODEL")
    wrote = OutputDataset(namespace="registry", name="m", facets={"datasetType": kind})
    for state, inputs, outputs in (
        (RunState.START, [read], []),
        (RunState.COMPLETE, [], [wrote]),
    ):
        client.emit(
            RunEvent(
                eventType=state,
                eventTime=TIMES[0] if state == RunState.START else TIMES[1],
                run=run,
                job=job,
                producer="https://example.org/test",
                inputs=inputs,
                outputs=outputs,
            )
        )
    assert names(affected(dataset.space, BitMap([1]))) == ["m v1"]


def test_after_a_hard_purge_what_a_run_had_read_still_counts(now):
    dataset = filled("faces", 4, now)
    send(event("START", inputs=[faces(0, 2)]), event("COMPLETE", at=1), now=now)
    erase_records(case_id=RUN, space=dataset.space, ordinals=BitMap([0]), now=now, hard=True)
    send(event("OTHER", at=2, outputs=[model("m")]), now=now)
    kept = {tuple(members(one)) for one in DatasetSnapshot.objects.all()}
    assert kept == {(), (0, 2), (2,)}  # the second is what that run drew; its case rewrites it
    assert names(affected(dataset.space, BitMap([0]))) == ["m v1"]
    assert ModelVersion.objects.get().state == "QUARANTINED"


def test_members_of_another_space_do_not_clear_a_version(now):
    dataset, other = filled("faces", 2, now), filled("voices", 2, now)
    told = {**faces(0), "namespace": "default", "name": "voices"}
    send(event("COMPLETE", inputs=[told], outputs=[model("m")]), now=now)
    assert names(affected(dataset.space, BitMap([0]))) == ["m v1"]
    for space in (dataset.space, other.space):
        assert [str(v) for v in affected(space, BitMap([1])).unknown] == ["m v1"]


def test_one_told_state_does_not_speak_for_another(now):
    dataset = filled("faces", 4, now)
    untold = {
        "namespace": "default",
        "name": "faces",
        "facets": {"version": {"datasetVersion": "yesterday"}},
    }
    told = {**faces(0), "namespace": "default", "name": "faces"}
    send(event("COMPLETE", inputs=[told, untold], outputs=[model("m")]), now=now)
    assert [str(v) for v in affected(dataset.space, BitMap([1])).unknown] == ["m v1"]


def test_two_runs_that_write_one_data_set_both_act_on_it(now):
    dataset = filled("faces", 4, now)
    crops = {"namespace": "lake", "name": "crops"}
    for number in (0, 1):
        run = uuid.UUID(int=number + 1)
        send(event("COMPLETE", inputs=[faces(number)], outputs=[crops], run=run), now=now)
    send(event("COMPLETE", inputs=[crops], outputs=[model("m")]), now=now)
    for number in (0, 1):
        assert names(affected(dataset.space, BitMap([number]))) == ["m v1"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"inputs": 7},
        {"inputs": [{"namespace": "a", "name": "b", "facets": "text"}]},
        {"inputs": [{"namespace": "a", "name": "b", "inputFacets": {"subset": "text"}}]},
        {"outputs": [{"namespace": "a", "name": "b", "facets": {"version": "text"}}]},
        {"outputs": [{"namespace": "a", "name": "b\0"}]},
        {"run": {"runId": str(RUN), "facets": "text"}},
        {"outputs": [{**model("m"), "facets": {"version": {"datasetVersion": "v" * 500}}}]},
    ],
)
def test_an_event_with_a_field_of_another_type_is_refused_with_a_sentence(now, wrong):
    with pytest.raises(EventUnreadable):
        receive(body={**event("COMPLETE"), **wrong}, now=now)
    assert not ReceivedEvent.objects.exists()
