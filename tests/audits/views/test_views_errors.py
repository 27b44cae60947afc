"""What went wrong: people read whom to write to, staff keep their navigation."""

from __future__ import annotations

from unittest.mock import patch

import pytest
from django.db import DatabaseError
from django.test import Client
from django.utils import timezone

from audits.models import Notice, Recipient
from audits.services.notice_links import link_token
from tests.audits.views import worlds

CONTACT, NAVIGATION = "mailto:privacy@example.org", 'aria-label="Main"'
COMPLETE = {
    "en": "This link is not complete",
    "fr": "Ce lien est incomplet",
    "de": "Dieser Link ist unvollständig",
}


def text_of(response):
    return response.content.decode()


@pytest.fixture(autouse=True)
def names(settings):
    settings.EXPUNGE_CONTROLLER, settings.EXPUNGE_CONTACT = "Meier KG", "privacy@example.org"


def test_people_read_who_runs_the_site_and_how_to_reach_them(client):
    for response, status in (
        (client.get("/nothing/"), 404),
        (Client(enforce_csrf_checks=True).post("/erasure/kind/"), 403),
        (_broken(client, "/erasure/status/x/"), 500),
    ):
        assert response.status_code == status
        main = text_of(response).partition("<main")[2].partition("</main")[0]
        assert "Meier KG runs this site" in main
        assert CONTACT in main
        assert NAVIGATION not in text_of(response)


def test_staff_keep_their_navigation_and_read_which_role_it_takes(reader):
    missing = reader.get("/nothing/")
    refused = reader.get("/holds/new/")
    for response, said in (
        (missing, "Nothing lies at <code>/nothing/</code>"),
        (refused, "That takes the role Administrator."),
        (_broken(reader, "/erasure/status/x/"), "Something went wrong on our side"),
    ):
        assert NAVIGATION in text_of(response)
        assert said in text_of(response)
        assert response.headers["Content-Language"] == "en"


def test_an_account_without_a_role_is_told_so_and_shown_nothing_of_the_cases(outsider):
    page = text_of(outsider.get("/holds/new/"))
    assert "is not an account of staff" in page
    assert NAVIGATION not in page


def test_a_page_says_that_it_is_our_fault_when_the_database_is_gone(reader):
    with patch("audits.views.errors.has_right", side_effect=DatabaseError):
        response = _broken(reader, "/erasure/status/x/")
    assert response.status_code == 500
    assert CONTACT in text_of(response)


@pytest.mark.parametrize("language", COMPLETE)
def test_a_notice_link_that_is_none_of_ours_is_refused_in_three_languages(client, language):
    response = client.get("/told/bad/", headers={"Accept-Language": language})
    assert response.status_code == 410
    assert COMPLETE[language] in text_of(response)
    assert response.headers["Content-Language"] == language
    chosen = client.get("/told/bad/", {"lang": language})
    assert f'<html lang="{language}">' in text_of(chosen)


def test_the_letter_to_confirm_by_post_is_not_said_to_be_an_email(client, decider):
    case = worlds.received().request
    status, page = f"/erasure/status/{worlds.TOKEN}/", f"/cases/{case.pk}/"
    assert "open the link in our e-mail" in text_of(client.get(status))
    assert "in the confirmation e-mail" in text_of(decider.get(page))
    case.channel = "POST"
    case.save(update_fields=["channel"])
    assert "open the link in our letter" in text_of(client.get(status))
    assert "The letter with the link to confirm goes by post" in text_of(decider.get(page))


def _broken(client, path):
    client.raise_request_exception = False
    with patch("audits.queries.cases.case_by_status_digest", side_effect=RuntimeError):
        return client.get(path)


@pytest.mark.parametrize(("locale", "said"), [("fr", "Indiquer que"), ("de", "Mitteilen, dass")])
def test_whoever_is_told_is_spoken_to_in_the_language_of_the_notice(locale, said):
    now = timezone.now()
    lab = Recipient.objects.create(name="Lab", locale=locale)
    notice = Notice.objects.create(
        occasion="ERASED", recipient=lab, created_at=now, next_at=now, locale=locale
    )
    path = f"/told/{link_token(notice)}/"
    assert said in Client().get(path).content.decode()
    chosen = Client().get(path, {"lang": "en"}).content.decode()
    assert "Say that it is done" in chosen
