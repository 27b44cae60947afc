"""Exported events validate against the published schemas of OpenLineage (``make schemas``).

The schemas are another project's and are not kept here: they are read from the place named in
EXPUNGE_TEST_OPENLINEAGE, an address or a folder that is laid out like
https://openlineage.io/spec.
"""

from __future__ import annotations

import json
import os
import urllib.request
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator, ValidationError
from referencing import Registry, Resource

from lineage.models import Role, Run
from lineage.queries.openlineage import EVENT, run_events
from tests.lineage.builders import base, data, filled, snapshot, trained

PLACE = os.environ.get("EXPUNGE_TEST_OPENLINEAGE", "")
PUBLISHED = "https://openlineage.io/spec"
pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(not PLACE, reason="needs the published schemas: run `make schemas`"),
]


def retrieved(address: str) -> Resource:
    place = PLACE + address.removeprefix(PUBLISHED)
    if "://" in place:
        with urllib.request.urlopen(place, timeout=30) as found:
            text = found.read()
    else:
        text = Path(place).read_bytes()
    return Resource.from_contents(json.loads(text))


REGISTRY: Registry = Registry(retrieve=retrieved)  # type: ignore[call-arg]  # attrs renames it


def check(instance, schema: str) -> None:
    Draft202012Validator(
        {"$ref": schema},
        registry=REGISTRY,
        format_checker=Draft202012Validator.FORMAT_CHECKER,
    ).validate(instance)


def facets(event):
    for part in (event["run"], event["job"], *event["inputs"], *event["outputs"]):
        for group in ("facets", "inputFacets", "outputFacets"):
            yield from part.get(group, {}).values()


@pytest.fixture
def events(now):
    dataset = filled("faces", 4, now)
    first = trained("base", now, data(snapshot(dataset, now, [0, 1])), procedure="nightly")
    trained("tuned", now, base(first), data(snapshot(dataset, now, [2]), Role.VALIDATION))
    Run.objects.create(activity="TRAIN", state="INCOMPLETE", started_at=now, ended_at=now)
    return list(run_events(with_records=True))


def test_every_event_validates_and_so_does_every_standard_facet(events):
    seen = set()
    for event in events:
        check(event, EVENT)
        for facet in facets(event):
            if facet["_schemaURL"].startswith(PUBLISHED):
                seen.add(facet["_schemaURL"].rpartition("/")[2])
                check(facet, facet["_schemaURL"])
    assert seen == {"JobTypeJobFacet", "DatasetVersionDatasetFacet", "DatasetTypeDatasetFacet"}


def test_the_schemas_refuse_what_is_wrong(events):
    for event in ({**events[0], "eventType": "DONE"}, {**events[0], "job": {"name": "x"}}):
        with pytest.raises(ValidationError):
            check(event, EVENT)
