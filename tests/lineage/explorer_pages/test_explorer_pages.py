"""The graph of lineage as pages: bounded, and the same in words."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client

from lineage.models import ModelVersion
from tests.lineage.builders import data, found, trained
from tests.lineage.explorer_pages.formats import FILES

pytestmark = pytest.mark.django_db
VENDORED = Path(__file__).resolve().parents[3] / "static" / "vendor" / "cytoscape"


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
