"""In which language and time zone a page is shown."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from django.http import HttpResponse
from django.template import Context, Template
from django.test import Client, RequestFactory
from django.utils import timezone as django_timezone
from django.utils import translation

from config.zones import ReaderZone

NOON = datetime(2026, 3, 2, 12, 0, 5, tzinfo=UTC)


def shown(value, how="moment"):
    return Template("{% load moments %}{{ value|" + how + " }}").render(Context({"value": value}))


def zone_of_a_page(cookie):
    request = RequestFactory().get("/cases/")
    request.COOKIES["expunge_zone"] = cookie
    seen = []

    def page(_):
        seen.append(django_timezone.get_current_timezone_name())
        return HttpResponse()

    ReaderZone(page)(request)
    return seen[0]


def test_times_are_those_of_the_readers_clock():
    assert zone_of_a_page("Europe/Paris") == "Europe/Paris"


@pytest.mark.parametrize(
    "cookie", ["", "Mars/Olympus", "../../etc/passwd", "localtime", "\x00", "é" * 9000]
)
def test_a_zone_that_does_not_exist_is_utc(cookie):
    assert zone_of_a_page(cookie) == "UTC"


def test_a_page_leaves_no_zone_behind():
    zone_of_a_page("Asia/Tokyo")
    assert django_timezone.get_current_timezone_name() == "UTC"


def test_a_moment_names_its_zone_and_keeps_utc_beside_it():
    with django_timezone.override("Europe/Paris"):
        assert shown(NOON) == (
            '<time datetime="2026-03-02T12:00:05+00:00" title="2026-03-02 12:00:05 UTC">'
            "2 March 2026, 13:00 CET</time>"
        )


def test_a_zone_without_letters_is_named_by_its_distance():
    with django_timezone.override(timezone(timedelta(hours=3, minutes=30), "+0330")):
        assert "15:30 UTC+03:30<" in shown(NOON)


def test_the_day_of_a_moment_is_the_readers_day_in_words():
    late = datetime(2026, 2, 28, 23, 30, tzinfo=UTC)
    with django_timezone.override("Europe/Paris"), translation.override("fr"):
        assert "1er mars 2026, 00:30:00 CET" in shown(late, "moment:'seconds'")


def test_no_moment_is_nothing():
    assert shown(None) == ""


@pytest.mark.parametrize("language", ["fr", "de"])
def test_numbers_keep_their_point_so_that_pictures_are_drawn(language):
    with translation.override(language):
        assert Template("{{ x }}").render(Context({"x": 12.5})) == "12.5"


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/admin/login/", "/api/v1/nowhere"])
def test_the_admin_and_the_api_stay_english(path):
    answer = Client().get(path, HTTP_ACCEPT_LANGUAGE="fr", query_params={"lang": "de"})
    assert answer["Content-Language"] == "en"
    assert "expunge_language" not in answer.cookies
