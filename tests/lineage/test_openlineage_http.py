"""OpenLineage events over HTTP, from the official client and by hand; what is refused."""

from __future__ import annotations

import json

import pytest
from openlineage.client import OpenLineageClient
from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, RunEvent, RunState
from openlineage.client.event_v2 import Run as ClientRun
from openlineage.client.facet_v2 import dataset_type_dataset, dataset_version_dataset
from openlineage.client.transport.http import HttpConfig, HttpTransport
from pyroaring import BitMap

from lineage.core.openlineage import EventUnreadable, parse
from lineage.models import ReceivedEvent, Run
from lineage.queries.closure import affected
from lineage.services.openlineage import receive
from tests.lineage.builders import filled, snapshot
from tests.lineage.events import RUN, TIMES, event, faces, model, names
from tests.lineage.remote import key

pytestmark = pytest.mark.django_db


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
