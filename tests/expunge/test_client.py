"""The client asks again where that does no harm, and raises the sentence of the platform."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import expunge
from expunge.calls import Calls
from expunge.client import Client
from expunge.configuration import Configuration
from tests.clean_environment import ROOT
from tests.expunge.platforms import CASE, KEY, URL, Platform, problem


def test_a_call_says_who_asks_and_where():
    platform = Platform(httpx.Response(200, json=CASE))
    assert platform.client().case("ER-1") == CASE
    (request,) = platform.seen
    assert str(request.url) == f"{URL}/api/v1/cases/ER-1"
    assert request.headers["Authorization"] == f"Bearer {KEY}"
    assert request.headers["User-Agent"] == f"expunge/{expunge.__version__}"


@pytest.mark.parametrize(
    "trouble",
    [
        httpx.ConnectError("no"),
        httpx.ReadTimeout("slow"),
        problem(503),
        problem(425),
        problem(408),
        httpx.Response(502, text="<h1>Bad gateway</h1>"),
        httpx.Response(302, headers={"Location": "https://login.example.org"}),
        httpx.Response(200, text="<h1>Welcome to this hotel's network</h1>"),
    ],
    ids=lambda one: repr(one)[:40],
)
def test_a_platform_that_is_away_is_asked_again(trouble):
    platform = Platform(trouble, trouble, httpx.Response(200, json=CASE))
    assert platform.client().case("ER-1") == CASE
    assert len(platform.seen) == 3
    assert 0 <= platform.pauses[0] <= 0.5
    assert 0 <= platform.pauses[1] <= 1.0


def test_a_platform_that_stays_away_is_said_to_be_away_after_the_last_attempt():
    platform = Platform(httpx.ConnectError("no"))
    with pytest.raises(expunge.PlatformAway, match="did not answer: ConnectError"):
        platform.client(attempts=3).case("ER-1")
    assert (len(platform.seen), len(platform.pauses)) == (3, 2)


def test_pauses_grow_and_a_part_of_each_is_drawn():
    platform = Platform(httpx.ConnectError("no"))
    to = Configuration(url=URL, api_key=KEY)
    calls = Calls(
        to,
        attempts=4,
        transport=httpx.MockTransport(platform),
        pause=platform.pauses.append,
        draw=lambda: 0.25,
    )
    with pytest.raises(expunge.PlatformAway):
        calls.get("health")
    assert platform.pauses == [0.125, 0.25, 0.5]


def test_the_pause_that_the_platform_asks_for_is_kept():
    platform = Platform(problem(429, headers={"Retry-After": "7"}), httpx.Response(200, json=CASE))
    platform.client().case("ER-1")
    assert 7 <= platform.pauses[0] <= 8


def test_a_pause_that_is_too_long_is_not_slept_through():
    platform = Platform(problem(429, "Tomorrow.", headers={"Retry-After": "86400"}))
    with pytest.raises(expunge.PlatformAway, match="Tomorrow") as told:
        platform.client().case("ER-1")
    assert (platform.pauses, told.value.after) == ([], 86400)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, expunge.KeyNotAccepted),
        (403, expunge.KeyNotAccepted),
        (404, expunge.NotThere),
        (409, expunge.Conflict),
        (422, expunge.Refused),
    ],
)
def test_a_refusal_is_raised_at_once_with_its_sentence(status, kind):
    platform = Platform(problem(status, "kind is BLUE; allowed are RED."))
    with pytest.raises(kind, match=r"^kind is BLUE; allowed are RED\.$"):
        platform.client().case("ER-1")
    assert len(platform.seen) == 1


def test_a_refusal_names_the_fields():
    errors = [{"field": "body.email", "rule": "Field required"}]
    platform = Platform(problem(422, errors=errors, type="urn:x"))
    with pytest.raises(expunge.Refused) as told:
        platform.client().request(email="")
    assert told.value.problem.fields == (("body.email", "Field required"),)
    assert (told.value.problem.kind, told.value.problem.status) == ("urn:x", 422)


def test_a_write_that_is_sent_again_carries_the_same_key_and_body():
    platform = Platform(httpx.ReadTimeout("?"), problem(500), httpx.Response(201, json=CASE))
    platform.client().request(email="ada@example.org")
    keys = {request.headers["Idempotency-Key"] for request in platform.seen}
    bodies = {request.content for request in platform.seen}
    assert (len(platform.seen), len(keys), len(bodies)) == (3, 1, 1)
    platform.client().request(email="ada@example.org")
    assert platform.seen[-1].headers["Idempotency-Key"] not in keys


@settings(deadline=None, max_examples=25)  # a client for each, on a machine that may be busy
@given(pages=st.lists(st.lists(st.integers(), max_size=3), min_size=1, max_size=4))
def test_a_list_is_read_page_by_page_to_its_end(pages):
    last = len(pages) - 1

    def answer(request):
        at = int(request.url.params.get("cursor", "0"))
        assert request.url.params["model"] == "m"
        cursor = None if at == last else str(at + 1)
        return httpx.Response(200, json={"items": pages[at], "cursor": cursor})

    client = Client(URL, KEY, transport=httpx.MockTransport(answer))
    found: list[Any] = list(client.versions(model="m"))
    assert found == [one for page in pages for one in page]


def test_a_page_is_asked_for_when_it_is_reached():
    platform = Platform(httpx.Response(200, json={"items": [1, 2], "cursor": "b"}))
    cases = platform.client().cases()
    assert platform.seen == []
    found: list[Any] = [next(cases), next(cases)]
    assert found == [1, 2]
    assert len(platform.seen) == 1


@pytest.mark.parametrize("name", ["", ".", ".."])
def test_a_name_cannot_lead_to_another_address(name):
    with pytest.raises(ValueError, match="is no name"):
        Platform(problem(404)).client().case(name)
    platform = Platform(httpx.Response(200, json=CASE))
    platform.client().case("a/../b?c")
    assert platform.seen[0].url.raw_path == b"/api/v1/cases/a%2F..%2Fb%3Fc"


def test_calls_that_are_never_made_are_refused():
    calls = Calls(Configuration(url=URL, api_key=KEY), attempts=0)
    with pytest.raises(ValueError, match="attempts is 0"):
        calls.get("health")


def test_the_page_of_the_client_names_every_method_and_exception():
    page = (ROOT / "docs" / "client.md").read_text()
    named = set(re.findall(r"`([a-z_]+)(?:\(.*?\))?`", page)) | set(
        re.findall(r"client\.(\w+)", page)
    )
    methods = {
        name
        for name in dir(Client)
        if not name.startswith("_") and callable(getattr(Client, name))
    }
    assert methods - named == {"close", "keep_in", "pause", "clock"}
    exceptions = {
        name
        for name in expunge.__all__
        if isinstance(getattr(expunge, name), type)
        and issubclass(getattr(expunge, name), Exception)
    }
    assert "Buffered" in exceptions
    assert {name for name in exceptions if f"`{name}`" not in page} == set()
