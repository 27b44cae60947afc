"""Sessions that are planted, frames that lay a page under another, links that lead elsewhere.

Further: ``tests/audits/sign_in``, ``tests/config/test_headers.py``.
"""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.attackers.counting import tried
from tests.attackers.site_map import framed
from tests.audits.views.visits import ask

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("site")]
PASSWORD = "a long password of this test"
ELSEWHERE = (
    "https://evil.example/",
    "//evil.example/",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "http:evil.example",
    "javascript:alert(1)",
    "https://testserver@evil.example/",
    "https:///evil.example",
    "\t//evil.example",
    "/%09/evil.example",
    "data:text/html,x",
)


@pytest.fixture
def ann():
    return User.objects.create_user("ann", password=PASSWORD, is_staff=True)


def sign_in(client, **more: str):
    return client.post("/accounts/login/", {"username": "ann", "password": PASSWORD, **more})


def test_a_session_that_was_planted_is_not_the_one_that_is_signed_in(ann):
    client = Client()
    ask(client)  # a session of the public form
    planted = client.session.session_key
    assert planted
    sign_in(client)
    assert client.session.session_key != planted
    watcher = Client()
    watcher.cookies["sessionid"] = planted
    assert "/login/" in watcher.get("/home/").headers["Location"]
    made_up = Client()
    made_up.cookies["sessionid"] = "0123456789abcdef0123456789abcdef"
    sign_in(made_up)
    assert made_up.session.session_key != "0123456789abcdef0123456789abcdef"
    tried("sessions planted", 2)


def test_a_session_ends_with_its_sign_out(ann):
    client = Client()
    sign_in(client)
    kept = client.cookies["sessionid"].value
    client.post("/accounts/logout/")
    thief = Client()
    thief.cookies["sessionid"] = kept
    assert "/login/" in thief.get("/home/").headers["Location"]
    tried("sessions used after signing out")


def stays(location: str) -> bool:
    parts = urlsplit(location.replace("\\", "/"))
    here = parts.netloc in {"", "testserver"} and parts.scheme in {"", "http", "https"}
    return here and not location.lstrip().replace("\\", "/").startswith("//")


def test_no_way_in_or_out_leads_to_another_site(ann):
    asked = 0
    for place in ELSEWHERE:
        told = dict.fromkeys(("next", "redirect", "url", "lang"), place)
        answers = [sign_in(Client(), **told), Client().get("/", told)]
        client = Client()
        for path in ("/accounts/login/", "/accounts/again/", "/accounts/logout/"):
            client.force_login(ann)
            answers.append(client.post(path, told))
        answers.append(client.get("/accounts/login/", told))
        for answer in answers:
            assert stays(answer.headers.get("Location", "/")), (place, answer.headers)
        asked += len(answers)
    assert not any(map(stays, ELSEWHERE[:4]))
    tried("ways that lead elsewhere", asked)


def test_no_page_can_be_laid_under_another_one():
    client, pages = Client(), framed()
    for one in pages:
        answer = client.get(one.path)
        assert answer.headers["X-Frame-Options"] == "DENY", one.path
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"], one.path
        assert answer.headers["X-Content-Type-Options"] == "nosniff", one.path
    tried("pages framed", len(pages))
