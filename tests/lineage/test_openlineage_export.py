"""The OpenLineage export holds every run, and read in again it leads to the same versions."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from openlineage.client.event_v2 import Job, RunEvent, RunState
from openlineage.client.event_v2 import Run as ClientRun
from openlineage.client.generated import (
    dataset_type_dataset,
    dataset_version_dataset,
    job_type_job,
)
from pyroaring import BitMap

from lineage.core.openlineage import parse
from lineage.models import ModelVersion, Role, Run
from lineage.queries.closure import affected
from lineage.queries.openlineage import EVENT, run_events
from lineage.services.openlineage import RunTaken, receive
from tests.lineage.builders import base, data, filled, snapshot, trained
from tests.lineage.remote import key

FACETS: dict[str, Any] = {
    "version": dataset_version_dataset.DatasetVersionDatasetFacet,
    "datasetType": dataset_type_dataset.DatasetTypeDatasetFacet,
}
pytestmark = pytest.mark.django_db


@pytest.fixture
def dataset(now):
    dataset = filled("faces", 4, now)
    first = trained("base", now, data(snapshot(dataset, now, [0, 1])), procedure="nightly")
    trained("tuned", now, base(first), data(snapshot(dataset, now, [2]), Role.VALIDATION))
    return dataset


def exported(capsys, *arguments: str):
    call_command("export_openlineage", *arguments)
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def inputs(events):
    parsed = [parse(one) for one in events]
    return [named for event in parsed if event for named in event.inputs]


def hit(dataset, ordinal):
    found = affected(dataset.space, BitMap([ordinal]))
    return {one.version.id for one in found.versions}


def test_every_run_has_a_start_and_an_end(dataset, capsys):
    events = exported(capsys)
    told = [(one["run"]["runId"], one["eventType"]) for one in events]
    runs = Run.objects.order_by("started_at", "id").values_list("id", flat=True)
    assert told == [(str(run), kind) for run in runs for kind in ("START", "COMPLETE")]


def test_a_run_that_did_not_end_well_is_told_as_aborted_and_without_outputs(dataset, now, capsys):
    Run.objects.create(activity="TRAIN", state="INCOMPLETE", started_at=now, ended_at=now)
    Run.objects.create(activity="TRAIN", state="RUNNING", started_at=now)
    kinds = sorted(one["eventType"] for one in exported(capsys))
    assert kinds == ["ABORT", "COMPLETE", "COMPLETE", "START", "START", "START", "START"]


def test_the_official_client_takes_each_event_and_names_the_same_schemas(dataset):
    for one in run_events():
        RunEvent(
            eventTime=one["eventTime"],
            run=ClientRun(one["run"]["runId"]),
            job=Job(one["job"]["namespace"], one["job"]["name"]),
            eventType=RunState[one["eventType"]],
            producer=one["producer"],
        )
        assert one["schemaURL"] == EVENT == RunEvent._get_schema()
        facet = one["job"]["facets"]["jobType"]
        assert facet["_schemaURL"] == job_type_job.JobTypeJobFacet._get_schema()
        for named in one["inputs"] + one["outputs"]:
            for name, facet in named["facets"].items():
                kind = FACETS[name]
                kind(**{field: value for field, value in facet.items() if field[0] != "_"})
                assert facet["_schemaURL"] == kind._get_schema()


def test_members_are_told_on_request_only(dataset, capsys):
    assert {named.ordinals for named in inputs(exported(capsys))} == {None}
    found = {
        (named.role, tuple(named.ordinals))
        for named in inputs(exported(capsys, "--records"))
        if named.ordinals is not None
    }
    assert found == {("TRAINING", (0, 1)), ("VALIDATION", (2,))}


def test_read_in_under_other_runs_the_same_people_lead_to_the_copies(dataset, now, capsys):
    events = exported(capsys, "--records")
    originals = {ordinal: hit(dataset, ordinal) for ordinal in range(4)}
    for one in events:
        one["run"]["runId"] = str(uuid.uuid5(uuid.NAMESPACE_OID, one["run"]["runId"]))
        for named in one["inputs"] + one["outputs"]:
            if "datasetType" in named["facets"]:
                named["name"] += "-copy"
        receive(body=one, now=now)
    names = dict(ModelVersion.objects.values_list("id", "model_name"))
    for ordinal, before in originals.items():
        after = {names[one] for one in hit(dataset, ordinal)}
        assert after == {names[one] + end for one in before for end in ("", "-copy")}


def test_an_event_cannot_rewrite_a_run_of_this_platform(dataset, client, now):
    event = next(iter(run_events()))
    before = Run.objects.get(id=event["run"]["runId"])
    with pytest.raises(RunTaken, match="choose a new UUID"):
        receive(body={**event, "eventType": "FAIL"}, now=now)
    answer = client.post(
        "/api/v1/lineage",
        json.dumps({**event, "eventType": "ABORT"}),
        content_type="application/json",
        headers={"authorization": f"Bearer {key('lineage:write')}"},
    )
    assert answer.status_code == 409
    after = Run.objects.get(id=before.id)
    assert (after.state, after.external_id) == (before.state, before.external_id)


def test_a_file_is_written_whole_and_a_bad_path_is_named(dataset, tmp_path, capsys):
    call_command("export_openlineage", "--out", str(tmp_path / "events.ndjson"))
    lines = (tmp_path / "events.ndjson").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 2 * Run.objects.count()
    with pytest.raises(CommandError, match="cannot be written: No such file"):
        call_command("export_openlineage", "--out", str(tmp_path / "no" / "events.ndjson"))
