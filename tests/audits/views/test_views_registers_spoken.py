"""What the pages of the registers and of letters say in German, and what stays English."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.test import Client

from lineage.models import Location, ModelVersion
from tests.audits.clock_cases import member
from tests.audits.views import worlds
from tests.audits.world import verified_case


@pytest.fixture
def keeper(db):
    client = Client()
    client.force_login(member("Administrator"))
    return client


@pytest.fixture
def german(keeper):
    keeper.cookies[settings.LANGUAGE_COOKIE_NAME] = "de"
    return keeper


def text_of(response):
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def test_an_empty_choice_says_that_one_is_to_be_chosen(keeper):
    pages = {path: text_of(keeper.get(path)) for path in ("/deployments/", "/publications/new/")}
    for text in pages.values():
        assert '<option value="" selected>Choose one</option>' in text
    for path in ("/recipients/new/", "/publications/new/", "/deployments/"):
        text = text_of(keeper.get(path))
        assert '<option value="" selected>Language of this installation</option>' in text
        assert "---" not in text


def test_the_heads_of_a_register_are_german_on_the_page_and_english_in_its_files(german):
    text = text_of(german.get("/registers/cases/"))
    assert "Alle in einem Zeitraum eingegangenen Fälle" in text
    verified_case("eve@example.org")
    assert ">Fällig am</th>" in text_of(german.get("/registers/cases/"))
    attacks = text_of(german.get("/registers/attacks/"))
    assert ">Angriffe nur anhand der Klassen</th>" in attacks
    assert "Nur klassifizierende Modelle werden geprüft." in attacks
    assert "Only models that classify" in german.get("/registers/attacks.json").getvalue().decode()
    first = german.get("/registers/cases.csv").getvalue().decode().splitlines()[0]
    assert first.startswith("case,reference,kind,channel,received_on")


def test_the_record_of_processing_is_shown_in_german_and_its_file_stays_as_asked(german):
    text = text_of(german.get("/processing/"))
    assert "Verzeichnis von Verarbeitungstätigkeiten beschreiben, oder" in text
    assert "Describe it" not in text
    assert (
        "Record of processing activities" in german.get("/processing/record.md").content.decode()
    )


def test_a_place_asks_in_german_for_what_its_kind_declares_and_keeps_what_is_stored(german):
    text = text_of(german.get("/places/new/sql_table/"))
    assert "Zeilen einer SQL-Tabelle." in text
    assert "Die Spalte, die die Person nennt. Erlaubt: der Name einer Spalte." in text
    given = {"slug": "crm", "purpose": "support", "category": "DATA", "url_from": ""}
    said = {"set_url_from": "EXPUNGE_PLACE_CRM", "set_table": "people", "set_column": "email"}
    answer = german.post("/places/new/sql_table/", {**given, **said}, follow=True)
    assert "Versuchen Sie, den Speicherort zu erreichen" in text_of(answer)
    kept = Location.objects.get(slug="crm")
    assert (kept.category, kept.settings["column"]) == ("DATA", "email")


def test_a_letter_is_named_in_german_and_its_blocks_too(german):
    assert "Antwort: gelöscht" in text_of(german.get("/letters/"))
    text = text_of(german.get("/letters/fr/ANSWER_ERASED/"))
    assert "Pflicht. Muss {models} (was mit jedem Modell geschah" in text
    assert ">Anrede</label>" in text


def test_a_case_and_a_deployment_are_listed_in_german(german):
    _, run = worlds.judged(worlds.u_lira())
    assert "Löschung (Art. 17)" in text_of(german.get("/cases/"))
    german.force_login(member("Model operator"))
    german.cookies[settings.LANGUAGE_COOKIE_NAME] = "de"
    new = {"version": run.target_id, "place": "eu-1", "kind": "BATCH", "locale": ""}
    answer = german.post("/deployments/", new, follow=True)
    text = text_of(answer)
    assert "ist eingetragen." in text
    assert "Stapelverarbeitung" in text
    assert ModelVersion.objects.get(pk=run.target_id).deployments.get().kind == "BATCH"
