"""OpenLineage events by hand."""

from __future__ import annotations

import base64
import uuid
from typing import Any

from pyroaring import BitMap

from lineage.core.bitmaps import encode
from lineage.services.openlineage import receive

RUN = uuid.UUID(int=77)
TIMES = [f"2026-03-0{day}T12:00:00Z" for day in range(1, 5)]


def event(kind, *, at=0, inputs=(), outputs=(), run=RUN):
    return {
        "eventType": kind,
        "eventTime": TIMES[at],
        "producer": "https://example.org/test",
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
        "run": {"runId": str(run)},
        "job": {"namespace": "ci", "name": "nightly"},
        "inputs": list(inputs),
        "outputs": list(outputs),
    }


def faces(*ordinals: int, **facet: object):
    bitmap = base64.b64encode(encode(BitMap(ordinals))).decode()
    told = {"ordinalSpace": "faces", "cardinality": len(ordinals), "bitmap": bitmap, **facet}
    return {
        "namespace": "default",
        "name": "faces",
        "inputFacets": {"expunge_recordMembership": told},
    }


def model(name, version=""):
    facets = {"datasetType": {"datasetType": "MODEL"}}
    if version:
        facets["version"] = {"datasetVersion": version}
    return {"namespace": "registry", "name": name, "facets": facets}


def send(*events: dict[str, Any], now):
    return [receive(body=one, now=now) for one in events]


def names(closure):
    return [str(hit.version) for hit in closure.versions]


def named(name, *, namespace="default", version="", role="", files=()):
    """Return a data set of which no members are told, or by its files."""
    own = {"expunge_role": {"role": role}} if role else {}
    if files:
        condition = {"type": "location", "locations": list(files)}
        own["subset"] = {"inputCondition": condition}
    facets = {"version": {"datasetVersion": version}} if version else {}
    return {"namespace": namespace, "name": name, "facets": facets, "inputFacets": own}


def trained_on(*inputs: dict[str, Any], run=RUN, name="m", version="1", at=0):
    """Return the one event of a run that made a model."""
    outputs = [model(name, version)]
    return event("COMPLETE", at=at, inputs=inputs, outputs=outputs, run=run)
