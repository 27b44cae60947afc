"""The client asks again where that does no harm, and raises the sentence of the platform."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import expunge
from expunge.addresses import checked_url
from expunge.calls import Calls
from expunge.client import Client
from expunge.configuration import Configuration, configured
from expunge.connection import Connection
from tests.clean_environment import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

URL, KEY = "https://expunge.example.org", "expunge_0_secret"
CASE = {"reference": "ER-1", "status": "RECEIVED"}


def problem(status, detail="No.", headers=(), **more: Any):  # noqa: ANN401
    return httpx.Response(
        status,
        json={"title": "T", "status": status, "detail": detail, **more},
        headers={"Content-Type": "application/problem+json", **dict(headers)},
    )


class Platform:
    """Gives prepared answers in turn, the last one for ever, and remembers what it was sent."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.seen: list[httpx.Request] = []
        self.pauses: list[float] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def client(self, **options: Any) -> Client:  # noqa: ANN401
        transport = httpx.MockTransport(self)
        return Client(URL, KEY, transport=transport, pause=self.pauses.append, **options)


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


# --- downloads ----------------------------------------------------------------------------------


def test_a_report_is_written_whole_with_progress_and_for_its_owner_alone(tmp_path):
    platform = Platform(httpx.Response(200, content=b"%PDF" * 1000))
    told = []
    path = platform.client().report(
        "ER-1", tmp_path / "r.pdf", edition="person", progress=lambda *at: told.append(at)
    )
    assert path.read_bytes() == b"%PDF" * 1000
    assert path.stat().st_mode & 0o777 == 0o600
    assert told[-1] == (4000, 4000)
    assert dict(platform.seen[0].url.params) == {
        "edition": "person",
        "format": "pdf",
        "language": "en",
    }


class Breaks(httpx.SyncByteStream):
    def __iter__(self) -> Iterator[bytes]:
        yield b"half"
        raise httpx.ReadError("gone")


def test_a_download_that_breaks_leaves_what_was_there(tmp_path):
    (tmp_path / "r.pdf").write_bytes(b"old")
    platform = Platform(httpx.Response(200, stream=Breaks()))
    with pytest.raises(expunge.PlatformAway):
        platform.client(attempts=1).report("ER-1", tmp_path / "r.pdf")
    assert [(one.name, one.read_bytes()) for one in tmp_path.iterdir()] == [("r.pdf", b"old")]


def test_a_download_that_is_refused_says_why_and_makes_no_file(tmp_path):
    with pytest.raises(expunge.NotThere, match="No report"):
        Platform(problem(404, "No report.")).client().report("ER-1", tmp_path / "r.pdf")
    assert list(tmp_path.iterdir()) == []


# --- the buffer ---------------------------------------------------------------------------------


def test_a_request_survives_a_platform_that_is_away_and_keeps_its_moment_and_key(tmp_path):
    moment = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
    away = Platform(httpx.ConnectError("no"))
    client = away.client(buffer=tmp_path / "b", attempts=2, clock=lambda: moment)
    with pytest.raises(expunge.Buffered, match="kept in"):
        client.request(email="ada@example.org", key="k1")
    with pytest.raises(expunge.Buffered):
        client.request(email="eve@example.org")

    back = Platform(httpx.Response(201, json=CASE))
    made = back.client(buffer=tmp_path / "b").flush()
    assert (made.sent, made.refused, made.waiting) == (2, [], [])
    sent = [json.loads(request.content) for request in back.seen]
    assert [one["email"] for one in sent] == ["ada@example.org", "eve@example.org"]
    assert sent[0]["received_at"] == moment.isoformat()
    assert back.seen[0].headers["Idempotency-Key"] == away.seen[0].headers["Idempotency-Key"]
    assert back.seen[0].content == away.seen[0].content
    assert back.client(buffer=tmp_path / "b").flush().sent == 0


def test_a_buffered_request_that_is_refused_is_set_aside_with_its_reason(tmp_path):
    away = Platform(httpx.ConnectError("no")).client(buffer=tmp_path, attempts=1)
    with pytest.raises(expunge.Buffered):
        away.request(email="nobody")
    made = Platform(problem(422, "It has no @.")).client(buffer=tmp_path).flush()
    assert made.refused == ["It has no @."]
    assert [one.read_text() for one in tmp_path.rglob("reason.txt")] == ["It has no @."]


def test_only_its_owner_may_read_the_buffer(tmp_path):
    away = Platform(httpx.ConnectError("no")).client(buffer=tmp_path / "b", attempts=1)
    with pytest.raises(expunge.Buffered):
        away.request(email="ada@example.org")
    folders = [path for path in (tmp_path / "b").rglob("*") if path.is_dir()]
    assert folders
    assert {path.stat().st_mode & 0o777 for path in folders} == {0o700}
    assert KEY not in "".join(p.read_text() for p in (tmp_path / "b").rglob("*") if p.is_file())


def test_a_client_without_a_buffer_says_so():
    with pytest.raises(ValueError, match="has no buffer"):
        Platform(problem(503)).client().flush()


# --- where it is --------------------------------------------------------------------------------


@pytest.fixture
def home(tmp_path):
    (tmp_path / ".config" / "expunge").mkdir(parents=True)
    return tmp_path


def write(home, text, mode=0o600):
    file = home / ".config" / "expunge" / "config.toml"
    file.write_text(text)
    file.chmod(mode)
    return file


def test_arguments_come_before_the_environment_and_that_before_the_file(home):
    write(home, 'url = "https://file.example/"\napi_key = "file"\n')
    only_file = {"HOME": str(home)}
    environ = {**only_file, "EXPUNGE_URL": "https://environ.example"}
    assert configured("", "", only_file) == Configuration(
        url="https://file.example", api_key="file"
    )
    assert configured("", "", environ).url == "https://environ.example"
    assert configured("https://given.example", "", environ).url == "https://given.example"
    assert "file" not in repr(Configuration(url="u", api_key="file"))


@pytest.mark.parametrize("mode", [0o604, 0o640, 0o620])
def test_a_file_that_others_may_read_is_refused_with_the_remedy(home, mode):
    file = write(home, 'url = "https://e.example"\napi_key = "k"\n', mode)
    with pytest.raises(expunge.NotConfigured, match=f"chmod 600 {file}"):
        configured("", "", {"HOME": str(home)})


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("url = ", "is not TOML"),
        ('key = "k"', "has 'key'; allowed are api_key and url"),
        ("api_key = 3", "has 'api_key'"),
        ("", "address of the platform is not known: set EXPUNGE_URL"),
        ('url = "https://e.example"', "API key of the platform is not known: set EXPUNGE_API_KEY"),
        ('url = "e.example"\napi_key = "k"', "write it like https://"),
    ],
)
def test_what_is_wrong_with_the_file_is_said(home, text, sentence):
    write(home, text)
    with pytest.raises(expunge.NotConfigured, match=sentence):
        configured("", "", {"HOME": str(home)})


def test_a_file_that_is_named_must_be_there(tmp_path):
    with pytest.raises(expunge.NotConfigured, match="EXPUNGE_CONFIG names"):
        configured("", "", {"EXPUNGE_CONFIG": str(tmp_path / "none.toml")})


@pytest.mark.parametrize(
    "url", ["http://expunge.example.org", "http://10.0.0.1", "http://localhost.example.org"]
)
def test_a_key_is_sent_over_http_to_this_machine_alone(url, monkeypatch):
    with pytest.raises(expunge.NotConfigured, match=r"readable on the way.*--insecure"):
        expunge.Client(url, KEY)
    with pytest.raises(expunge.NotConfigured, match="readable on the way"):
        Connection(url=url, api_key=KEY)
    with pytest.raises(expunge.NotConfigured, match="readable on the way"):
        expunge.ServingGuard(url=url, api_key=KEY, version="v")
    assert expunge.Client(url, KEY, insecure=True).url == url
    assert expunge.ServingGuard(url=url, api_key=KEY, version="v", insecure=True).url == url
    assert configured(url, KEY, {"EXPUNGE_INSECURE": "1"}).url == url
    monkeypatch.setenv("EXPUNGE_INSECURE", "1")
    assert Connection(url=url, api_key=KEY).url == url


@pytest.mark.parametrize("url", ["http://127.8.0.1:80", "http://[::1]:8000/", "http://localhost"])
def test_http_to_this_machine_needs_no_permission(url):
    assert configured(url, KEY, {}).url == url.rstrip("/")


@pytest.mark.parametrize(
    "url",
    [
        "https://ada:hush@expunge.example.org",
        "http://ada:hush@127.0.0.1",
        "https://ada:hush@expunge.example.org:port",
        "https://ada:hush",
        "https://expunge.example.org?password=hush",
        "https://expunge.example.org:99999",
        "https://expunge.example.org:port",
        "https://[::1",
        "https://expunge.example.org/\n",
    ],
)
def test_an_address_that_is_none_is_refused_without_a_password_of_it(url):
    with pytest.raises(expunge.NotConfigured, match="address") as told:
        checked_url(url)
    assert "hush" not in str(told.value)
    assert told.value.__suppress_context__ or told.value.__context__ is None


@pytest.mark.parametrize("key", ["schl\u00fcssel", "two\nlines", "two words", "bell\a"])
def test_a_key_that_no_header_can_have_is_refused_unseen(key):
    with pytest.raises(expunge.NotConfigured, match="on one line") as told:
        expunge.Client(URL, key)
    assert key not in str(told.value)
    with pytest.raises(expunge.NotConfigured):
        Connection(url=URL, api_key=key)


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
