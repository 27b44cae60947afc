"""The graph of lineage as pages and files: bounded, in few queries, and the same in words."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from prov.model import ProvDocument
from pyroaring import BitMap

from lineage.models import ModelVersion, Role
from lineage.queries.edges import FOR_EVER
from lineage.queries.prov import prov_document, prov_items
from lineage.queries.reach import reached, reached_together
from tests.lineage.builders import base, data, filled, found, snapshot, trained

pytestmark = pytest.mark.django_db
VENDORED = Path(__file__).resolve().parents[2] / "static" / "vendor" / "cytoscape"
FILES = ("graph.json", "graph.svg", "prov.json", "nodes.csv", "edges.csv")


@pytest.fixture(autouse=True)
def static(settings, tmp_path):
    settings.STATIC_ROOT = tmp_path


@pytest.fixture
def staff() -> Client:
    client = Client()
    user = User.objects.create_user("staff", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="read_cases"))
    client.force_login(user)
    return client


@pytest.fixture
def world(now):
    """Six snapshots a day apart, five models of the first, one of the last, and two from it."""
    faces = filled("faces", 9, now)
    taken = [snapshot(faces, now + timedelta(days=at), range(at + 1)) for at in range(6)]
    for at in range(5):
        trained(f"small{at}", now + timedelta(days=6), data(taken[0]))
    big = trained("big", now + timedelta(days=7), data(taken[5]), data(taken[4], Role.VALIDATION))
    tuned = trained("tuned", now + timedelta(days=8), base(big), capture_level="SNAPSHOT")
    hidden = trained("hidden", now + timedelta(days=8), base(big), capture_level="NONE")
    return {"faces": faces, "taken": taken, "big": big, "tuned": tuned, "hidden": hidden}


def drawn(client, **asked: object):
    answer = client.get("/models/graph/graph.json", asked)
    assert answer.status_code == 200, answer.content
    told = answer.json()
    return {one["data"]["id"]: one for one in told["nodes"]}, told


def page(client, **asked: object):
    return client.get("/models/graph/", asked).content.decode()


def test_a_version_is_drawn_with_what_it_came_from_and_what_came_from_it(staff, world):
    nodes, told = drawn(staff, version=world["big"].pk)
    family = f"family:{world['faces'].pk}"
    assert set(nodes) == {family, *(str(world[name].pk) for name in ("big", "tuned", "hidden"))}
    assert told["groups"] == {family: [str(world["taken"][at].pk) for at in (4, 5)]}
    assert nodes[family]["position"]["x"] < nodes[str(world["big"].pk)]["position"]["x"]
    (edge,) = (one for one in told["edges"] if one["data"]["source"] == family)
    assert (edge["data"]["roles"], edge["data"]["count"]) == (
        ["Training data", "Validation data"],
        2,
    )


def test_a_family_is_opened_and_folded_by_an_address(staff, world):
    family = f"family:{world['faces'].pk}"
    nodes, _ = drawn(staff, version=world["big"].pk, open=family)
    assert {str(world["taken"][at].pk) for at in (4, 5)} < set(nodes)
    assert nodes[str(world["taken"][5].pk)]["data"]["folds"] == family
    whole = page(staff, version=world["big"].pk)
    assert f"open={family}" in whole
    assert (
        f"open={family}"
        not in page(staff, version=world["tuned"].pk, open=family)
        .split("Fold again")[0]
        .rpartition("<a")[2]
    )


def test_models_alike_are_one_and_what_is_not_captured_never_is(staff, world, now):
    for at in range(4):
        trained(f"blind{at}", now, data(world["taken"][0]), capture_level="NONE")
    nodes, told = drawn(staff, data=world["faces"].pk)
    (group,) = (one for one in told["groups"] if one.startswith("alike:"))
    assert nodes[group]["data"]["label"] == "5 model versions\nsame neighbours"
    unknown = [one for one in nodes.values() if one["data"]["unknown"]]
    assert len(unknown) == 5
    assert "5 nodes not captured" in page(staff, data=world["faces"].pk)


def test_as_of_a_day_what_came_later_is_not_there(staff, world, now):
    day = (now + timedelta(days=7)).date().isoformat()
    nodes, _ = drawn(staff, version=world["big"].pk, on=day)
    assert str(world["tuned"].pk) not in nodes
    assert "Nothing of it was known" in page(staff, version=world["tuned"].pk, on=day)


def test_the_records_of_a_person_lead_to_what_learned_from_them_and_to_what_may_have(
    staff, world, now
):
    lost = trained("lost", now, capture_level="NONE")
    person = found("person0@example.org")
    nodes, _ = drawn(staff, person=person.pseudonym)
    assert nodes[str(world["tuned"].pk)]["data"]["touched"] == 3
    assert nodes[str(lost.pk)]["data"]["possible"]
    text = page(staff, person=person.pseudonym)
    assert "person0@" not in text
    assert "Possibly affected" in text


def test_the_way_from_a_person_and_from_a_data_set_is_marked(staff, world):
    person = found("person0@example.org")
    for asked in ({"person": person.pseudonym}, {"data": world["faces"].pk}):
        nodes, told = drawn(staff, version=world["tuned"].pk, **asked)
        marked = {name for name, one in nodes.items() if "way" in one["classes"].split()}
        family = f"family:{world['faces'].pk}"
        assert marked == {family, str(world["big"].pk), str(world["tuned"].pk)}
        assert sum("way" in one["classes"] for one in told["edges"]) == 2
    other = found("person2@example.org")
    assert "No recorded way leads from there" in page(
        staff, version=world["tuned"].pk, person=other.pseudonym
    )


def test_the_table_says_what_the_picture_shows(staff, world):
    text = page(staff, version=world["big"].pk)
    nodes, _ = drawn(staff, version=world["big"].pk)
    assert text.count("<tr data-node=") == len(nodes) == text.count('<g class="')
    for words in ("Here", "1 step up", "1 step down", "Not captured", "Open its snapshots"):
        assert words in text
    assert "style=" not in text


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


def test_search_finds_by_name_number_and_id_and_nobody_by_address(staff, world):
    for words in ("big", "BIG v1", str(world["big"].pk)):
        assert f"?version={world['big'].pk}" in page(staff, q=words)
    assert f"?data={world['faces'].pk}" in page(staff, q="face")
    person = found("person0@example.org")
    assert f"?person={person.pseudonym}" in page(staff, q=str(person.pseudonym))
    assert "Nothing is called" in page(staff, q="person0@example.org")


def test_an_empty_registry_says_how_lineage_comes(staff):
    assert "There is no lineage yet." in page(staff)


def test_what_is_not_drawn_is_named(staff, world):
    text = page(staff, data=world["faces"].pk, shown="1")
    assert "not drawn:" in text
    assert "hidden v1" in text.split("<table")[0]
    assert "Draw up to 2,000" in text


def test_the_graph_is_for_staff(client, world):
    outsider = Client()
    outsider.force_login(User.objects.create_user("outsider"))
    for name in ("", *FILES):
        assert client.get(f"/models/graph/{name}").status_code == 302
        assert outsider.get(f"/models/graph/{name}").status_code == 403


def test_shadow_models_are_folded_and_never_said_to_be_unknown(staff, world, now):
    for _ in range(3):
        trained(
            "spy",
            now,
            data(world["taken"][0]),
            kind=ModelVersion.Kind.SHADOW,
            capture_level="NONE",
        )
    nodes, _ = drawn(staff, data=world["faces"].pk)
    assert "3 shadow models\nsame neighbours" in {one["data"]["label"] for one in nodes.values()}


def test_the_vendored_library_is_what_was_checked():
    for line in (VENDORED / "SHA256SUMS").read_text().splitlines():
        digest, name = line.split()
        assert hashlib.sha256((VENDORED / name).read_bytes()).hexdigest() == digest
