"""Which language a page speaks, and that the guards of the form work in each."""

from __future__ import annotations

import re

import pytest
from django.conf import settings as site_settings
from django.core import mail
from django.test import Client

from audits.models import ErasureRequest
from tests.audits.views import worlds
from tests.audits.views.visits import START, ask, give_address, text_of

LANGUAGES = ("en", "fr", "de")
PAGE = f"/erasure/status/{worlds.TOKEN}/"
SAID = {"en": "Your data and our models", "fr": "Vos données", "de": "Ihre Daten"}
TOO_MANY = {"en": "too many requests", "fr": "Trop de demandes", "de": "zu viele Anträge"}
TRAPPED = {"en": "hidden field", "fr": "champ caché", "de": "verborgenes Feld"}
TOO_FAST = {"en": "within a moment", "fr": "à peine ouvert", "de": "sofort nach dem Öffnen"}


def speaking(language) -> Client:
    return Client(headers={"accept-language": language})


def language_of(response):
    found = re.search(r'<html lang="(\w+)"', text_of(response))
    assert found
    assert response.headers["Content-Language"] == found[1]
    return found[1]


@pytest.mark.parametrize("language", LANGUAGES)
def test_L6_a_page_speaks_the_language_of_the_browser_and_offers_the_others(language):
    response = speaking(f"{language}-CH,it;q=0.5").get(START)
    assert language_of(response) == language
    assert SAID[language] in text_of(response)
    for other in LANGUAGES:
        assert f'href="?lang={other}"' in text_of(response)
    assert "Accept-Language" in response.headers["Vary"]


def test_a_choice_is_kept_and_says_nothing_else(client):
    assert language_of(client.get(START, {"lang": "fr"})) == "fr"
    assert client.cookies[site_settings.LANGUAGE_COOKIE_NAME].value == "fr"
    assert language_of(client.get("/erasure/kind/")) == "fr"
    assert language_of(client.get("/nowhere/")) == "fr"
    assert language_of(client.get(START, {"lang": "xx"})) == "fr"
    assert language_of(speaking("it").get(START)) == "en"


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_case_and_its_letter_speak_what_the_person_used(language):
    ask(speaking(language))
    assert ErasureRequest.objects.get().locale == language
    subject = {"en": "confirm", "fr": "confirmer", "de": "bestätigen"}[language]
    assert subject in mail.outbox[0].subject


def test_the_link_of_a_letter_speaks_the_language_of_its_case_until_another_is_chosen(client):
    worlds.received()
    ErasureRequest.objects.update(locale="de-AT")
    assert language_of(client.get(PAGE)) == "de"
    assert "Ihr Antrag" in text_of(client.get(PAGE))
    assert language_of(client.get(f"{PAGE}withdraw/")) == "de"
    assert language_of(client.get(PAGE, {"lang": "fr"})) == "fr"
    assert language_of(client.get(PAGE)) == "fr"


def test_a_page_of_staff_speaks_what_they_chose_and_keeps_its_filter(reader):
    page = reader.get("/cases/", {"show": "overdue", "lang": "de"})
    assert page.headers["Content-Language"] == "de"
    assert "Abmelden" in text_of(page)
    assert "?show=overdue&amp;lang=fr" in text_of(page)
    assert "Abmelden" in text_of(reader.get("/letters/"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_guards_of_the_form_speak_too(language, settings):
    client = speaking(language)
    assert TRAPPED[language] in text_of(give_address(client, website="x"))
    settings.EXPUNGE_FORM_MIN_SECONDS = 60
    assert TOO_FAST[language] in text_of(give_address(client))
    settings.EXPUNGE_FORM_MIN_SECONDS = 0
    settings.EXPUNGE_FORM_PER_HOUR = 1
    assert ask(client).status_code == 302
    response = ask(client)
    assert (response.status_code, response.headers["Retry-After"]) == (429, "3600")
    assert TOO_MANY[language] in text_of(response)
    assert ErasureRequest.objects.count() == 1
