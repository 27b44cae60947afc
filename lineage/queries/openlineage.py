"""The registry as OpenLineage run events: what another catalogue reads to know our trainings.

Spec 2-0-2: one START and, where the run has ended, one COMPLETE or ABORT. The facets of our own
are those that ``lineage.core.openlineage`` reads.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from lineage.core.bitmaps import encode
from lineage.core.openlineage import MEMBERSHIP, MODEL, OWN_NAMESPACE, ROLE, SAMPLER
from lineage.models import DatasetSnapshot, LineageNode, ModelVersion, Run
from lineage.queries.membership import members

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from lineage.models import RunInput

PRODUCER = "urn:expunge:platform"
EVENT = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"
FACETS = {
    "version": "1-0-1/DatasetVersionDatasetFacet",
    "datasetType": "1-0-1/DatasetTypeDatasetFacet",
    "jobType": "2-0-4/JobTypeJobFacet",
}
_ENDS = {Run.State.COMPLETE.value: "COMPLETE", Run.State.INCOMPLETE.value: "ABORT"}


def run_events(*, with_records: bool = False) -> Iterator[dict[str, Any]]:
    """Yield the events of every run, the oldest run first.

    Args:
        with_records: tell also which records were read, as bitmaps of ordinals.
    """
    runs = Run.objects.select_related("procedure").order_by("started_at", "id")
    for run in runs.iterator():
        # Of a run whose records nobody told, the declared ones would pass for them.
        told = with_records and run.capture_level != Run.Capture.NONE
        inputs = [_input(used, with_records=told) for used in _inputs(run)]
        yield _event(run, "START", run.started_at, inputs, ())
        if run.state in _ENDS and run.ended_at:
            yield _event(run, _ENDS[run.state], run.ended_at, inputs, _outputs(run))


def _event(
    run: Run,
    kind: str,
    at: datetime,
    inputs: list[dict[str, Any]],
    outputs: Iterable[dict[str, Any]],
) -> dict[str, Any]:
    named = run.procedure
    job_type = {"processingType": "BATCH", "integration": "EXPUNGE", "jobType": run.activity}
    return {
        "eventType": kind,
        "eventTime": at.isoformat(),
        "producer": PRODUCER,
        "schemaURL": EVENT,
        "run": {
            "runId": str(run.id),
            "facets": {SAMPLER: _own(SAMPLER, run.sampler)} if run.sampler else {},
        },
        "job": {
            "namespace": named.namespace if named else OWN_NAMESPACE,
            "name": named.name if named else run.activity.lower(),
            "facets": {"jobType": _standard("jobType", job_type)},
        },
        "inputs": inputs,
        "outputs": list(outputs),
    }


def _inputs(run: Run) -> Iterable[RunInput]:
    return run.inputs.select_related("node", "used_snapshot").order_by("id")


def _input(used: RunInput, *, with_records: bool) -> dict[str, Any]:
    own = {ROLE: _own(ROLE, {"role": used.role})}
    if used.node.kind == LineageNode.Kind.MODEL:
        named = _model(ModelVersion.objects.get(id=used.node.object_id))
        return {**named, "inputFacets": own}
    snapshot = DatasetSnapshot.objects.select_related("dataset", "space").get(
        id=used.node.object_id
    )
    if with_records:
        own[MEMBERSHIP] = _membership(used.used_snapshot or snapshot, snapshot.space.name)
    return {**_data(snapshot), "inputFacets": own}


def _outputs(run: Run) -> Iterator[dict[str, Any]]:
    for version in ModelVersion.objects.filter(generated_by=run).order_by("version"):
        yield _model(version)
    made = DatasetSnapshot.objects.filter(generated_by=run).select_related("dataset")
    for snapshot in made.order_by("seq"):
        yield _data(snapshot)


def _data(snapshot: DatasetSnapshot) -> dict[str, Any]:
    return {
        "namespace": snapshot.dataset.namespace,
        "name": snapshot.dataset.name,
        "facets": {"version": _standard("version", {"datasetVersion": snapshot.digest})},
    }


def _model(version: ModelVersion) -> dict[str, Any]:
    return {
        "namespace": OWN_NAMESPACE,
        "name": version.model_name,
        "facets": {
            "datasetType": _standard("datasetType", {"datasetType": MODEL}),
            "version": _standard("version", {"datasetVersion": str(version.version)}),
        },
    }


def _membership(snapshot: DatasetSnapshot, space: str) -> dict[str, Any]:
    ordinals = members(snapshot)
    bitmap = base64.b64encode(encode(ordinals)).decode("ascii")
    told = {"ordinalSpace": space, "cardinality": len(ordinals), "digest": snapshot.digest}
    return _own(MEMBERSHIP, {**told, "bitmap": bitmap})


def _standard(name: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    file = FACETS[name]
    url = f"https://openlineage.io/spec/facets/{file}.json#/$defs/{file.rpartition('/')[2]}"
    return {"_producer": PRODUCER, "_schemaURL": url, **fields}


def _own(name: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    return {"_producer": PRODUCER, "_schemaURL": f"urn:expunge:facet:{name}:1", **fields}
