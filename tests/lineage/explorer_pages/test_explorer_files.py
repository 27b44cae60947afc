"""The graph of lineage as files: in few queries, and what is drawn."""

from __future__ import annotations

import csv
import io
import json
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from prov.model import ProvDocument
from pyroaring import BitMap

from lineage.models import ModelVersion, Role
from lineage.queries.edges import FOR_EVER
from lineage.queries.prov import prov_document, prov_items
from lineage.queries.reach import reached, reached_together
from tests.lineage.builders import base, data, filled, found, snapshot, trained
from tests.lineage.explorer_pages.formats import FILES

pytestmark = pytest.mark.django_db


def asked_of(world):
    """Return what may be asked for of the world, each kind once."""
    person = found("person0@example.org").pseudonym
    return (
        {},
        {"q": "faces"},
        {"version": world["big"].pk, "person": person},
        {"data": world["faces"].pk, "open": f"family:{world['faces'].pk}"},
        {"person": person},
        {"person": person, "on": "2026-03-05"},
    )


def test_pages_and_files_take_few_queries_however_much_there_is(
    staff, world, django_assert_max_num_queries
):
    for asked in asked_of(world):
        for name in ("", *FILES):
            with django_assert_max_num_queries(25):
                assert staff.get(f"/models/graph/{name}", asked).status_code == 200


def counted(staff, world):
    """Return how many queries each address takes."""
    counts = {}
    for asked in asked_of(world):
        for name in ("", "prov.json"):
            with CaptureQueriesContext(connection) as queries:
                staff.get(f"/models/graph/{name}", asked)
            counts[name, str(asked)] = len(queries)
    return counts


def test_more_rows_take_no_more_queries(staff, world, now):
    before = counted(staff, world)
    latest = now + timedelta(days=9)
    for at in range(4):
        snapshot(world["faces"], latest, range(at + 1))
        trained(f"more{at}", latest, base(world["big"]), data(world["taken"][at]))
        trained(f"lost{at}", latest, base(world["hidden"]), capture_level="NONE")
    assert counted(staff, world) == before


@pytest.fixture
def spread(world, now):
    """Five more spaces of the same people: models of each, and runs that removed records."""
    spaces = {world["faces"].space: BitMap([0, 1, 2])}
    for at in range(5):
        more = filled(f"space{at}", 9, now)
        whole, part = snapshot(more, now), snapshot(more, now, range(at % 2, 2))
        old = trained(f"of{at}", now, data(whole), base(world["big"]))
        trained(f"without{at}", now, base(old), data(part, Role.FORGET))
        spaces[more.space] = BitMap([0, 1, 2])
    return spaces


def test_records_in_many_spaces_take_few_queries(staff, spread, django_assert_max_num_queries):
    person = found("person0@example.org").pseudonym
    for asked in ({"person": person}, {"person": person, "on": "2026-03-05"}):
        for name in ("", *FILES):
            with django_assert_max_num_queries(25):
                assert staff.get(f"/models/graph/{name}", asked).status_code == 200


@pytest.mark.parametrize("as_of", [FOR_EVER, datetime(2026, 3, 4, tzinfo=UTC)])
def test_what_records_reach_is_the_same_together_and_one_space_after_the_other(spread, as_of):
    together = reached_together(spread, as_of=as_of)
    for space, records in spread.items():
        alone, shared = reached(space, records, as_of=as_of), together[space]
        assert set(shared.edges) == set(alone.edges)
        assert replace(shared, edges=[]) == replace(alone, edges=[])


def test_the_picture_is_well_formed_and_carries_its_colours(staff, world):
    drawing = staff.get("/models/graph/graph.svg", {"version": world["big"].pk})
    assert drawing["Content-Disposition"] == 'attachment; filename="lineage.svg"'
    root = ElementTree.fromstring(drawing.content)
    names = {text.text for text in root.iter("{http://www.w3.org/2000/svg}text")}
    assert {"big v1", "faces", "2 snapshots"} < names


def test_the_page_speaks_the_reader_and_its_files_english(staff, world):
    asked, german = {"version": world["big"].pk}, {"Accept-Language": "de"}
    shown = staff.get("/models/graph/", asked, headers=german).content.decode()
    told = staff.get("/models/graph/graph.json", asked, headers=german).content.decode()
    drawing = staff.get("/models/graph/graph.svg", asked, headers=german).content.decode()
    assert "1 Schritt aufwärts" in shown
    assert "2 Momentaufnahmen" in shown
    labels = {one["data"]["label"] for one in json.loads(told)["nodes"]}
    assert "faces\n2 Momentaufnahmen" in labels
    assert "2 snapshots" in drawing
    assert "Momentaufnahmen" not in drawing


def test_the_prov_export_has_what_is_drawn_and_nothing_else(staff, world):
    content = staff.get("/models/graph/prov.json", {"version": world["big"].pk}).content.decode()
    names = set(json.loads(content)["entity"])
    drawn_names = {f"expunge:version/{world[name].pk}" for name in ("big", "tuned", "hidden")}
    drawn_names |= {f"expunge:snapshot/{world['taken'][at].pk}" for at in (4, 5)}
    assert names == drawn_names
    records = list(ProvDocument.deserialize(content=content, format="json").get_records())
    assert len(records) > 10


def test_the_prov_export_of_all_that_is_drawn_says_what_the_whole_export_does(staff, world):
    content = staff.get("/models/graph/prov.json", {"data": world["faces"].pk}).content.decode()
    part, every = json.loads(content), prov_document(prov_items())
    objects = {f"expunge:snapshot/{one.pk}" for one in world["taken"]}
    objects |= {
        f"expunge:version/{pk}" for pk in ModelVersion.objects.values_list("pk", flat=True)
    }
    assert part["entity"].keys() == objects == every["entity"].keys()
    assert json.dumps(part) == json.dumps(every)


def test_tables_are_read_by_a_spreadsheet_as_they_are_written(staff, now):
    faces = filled("=1+1", 1, now)
    model = trained("@sum", now, data(snapshot(faces, now)))
    texts = [
        staff.get(f"/models/graph/{name}.csv", {"version": model.pk}).content.decode()
        for name in ("nodes", "edges")
    ]
    nodes, edges = (list(csv.DictReader(io.StringIO(text))) for text in texts)
    assert {row["label"] for row in nodes} == {"'=1+1@0", "'@sum v1"}
    assert [row["hops"] for row in nodes if row["kind"] == "SNAPSHOT"] == ["-1"]
    assert (edges[0]["source_label"], edges[0]["roles"]) == ("'=1+1@0", "TRAINING")


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"version": "x"}, "version is &#x27;x&#x27;; it takes an id"),
        ({"data": uuid.UUID(int=1)}, "There is no data set with the id"),
        ({"person": uuid.UUID(int=1)}, "There is no person with the pseudonym"),
        ({"on": "yesterday"}, "The day is &#x27;yesterday&#x27;; it takes one like"),
        ({"shown": "2001"}, "it takes a number of nodes from 1 to 2000"),
    ],
)
def test_what_cannot_be_meant_is_said(staff, asked, sentence):
    answer = staff.get("/models/graph/", asked)
    assert answer.status_code == 404
    assert sentence in answer.content.decode()
    assert all(staff.get(f"/models/graph/{name}", asked).status_code == 404 for name in FILES)
