"""Lines of the process logs as JSON: what they are about, and that they are of nobody."""

from __future__ import annotations

import json
import logging
import re
import time
import uuid
from contextlib import contextmanager
from io import StringIO
from logging.config import DictConfigurator

import pytest
from django.core import mail
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from config import logs
from config.celery import app as celery
from config.redaction import without_addresses
from lineage.core.log_context import about, bound
from tests.audits.world import ADA, BERT, CLEO, DORA


@contextmanager
def written(form: str):
    """What the processes of an installation would write in a form."""
    text = StringIO()
    handler = logging.StreamHandler(text)
    configured = DictConfigurator(logs.to_stderr("INFO", form))
    handler.setFormatter(configured.configure_formatter(configured.config["formatters"][form]))
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield text
    root.removeHandler(handler)
    root.setLevel(before)


@pytest.fixture
def lines():
    """The lines of the form JSON, read back one by one."""
    with written("JSON") as text:
        yield lambda: [json.loads(line) for line in text.getvalue().splitlines()]


def test_a_line_says_what_it_is_about_and_only_there(lines):
    log = logging.getLogger("expunge.test")
    with bound(request="r"):
        with bound(job="j", case="2026-0001"):
            log.warning("two\nlines of %s", "é")
        log.info("less")
    log.info("nothing")
    first, second, third = lines()
    assert first.pop("time").endswith("+00:00")
    assert first == {
        "level": "WARNING",
        "logger": "expunge.test",
        "message": "two\nlines of é",
        "request": "r",
        "job": "j",
        "case": "2026-0001",
    }
    assert (second["request"], "job" in second) == ("r", False)
    assert not {"request", "job", "case"} & set(third)
    assert about() == {}


def test_an_exception_is_told_by_kind_and_place_and_not_by_what_it_says(lines):
    try:
        int("ada@example.org")
    except ValueError:
        logging.getLogger("expunge.test").exception("it failed")
    (line,) = lines()
    assert line["error"] == "ValueError"
    assert line["trace"][0].endswith(
        "test_an_exception_is_told_by_kind_and_place_and_not_by_what_it_says"
    )
    assert "ada@" not in json.dumps(line)


@pytest.mark.parametrize("throws", [(), (ValueError,)])
@pytest.mark.parametrize("typed", ["ada@example.org", "ada@example.org /told/s3cr3t/"])
def test_a_task_that_fails_does_not_have_its_exception_quoted_by_celery(lines, throws, typed):
    name = f"tests.fails_{len(throws)}_{len(typed)}"  # an app made later takes over every task

    @celery.task(name=name, throws=throws)
    def fails():
        int(typed)

    try:
        fails.apply()
    finally:
        celery.tasks.unregister(name)
    (line,) = [one for one in lines() if one["logger"] == logs.CELERY_TRACE]
    assert line["message"].startswith(f"Task {name}[")
    assert line["message"].endswith(": an error" if throws else ": ValueError")
    assert "ada@" not in json.dumps(line)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("6f1de4b4-6d2d-4a47-9a35-0123456789ab", True),
        ("", False),
        ("ada@example.org", False),
        ("6f1de4b4-6d2d-4a47-9a35-0123456789ab and more", False),
    ],
)
@pytest.mark.django_db
def test_a_request_has_an_id_that_nobody_can_write_a_name_in(client, lines, given, kept):
    response = client.get("/nowhere/", headers={"x-request-id": given})
    name = response.headers["X-Request-ID"]
    assert (name == given) is kept
    assert str(uuid.UUID(name)) == name
    (line,) = [line for line in lines() if line["logger"] == "django.request"]
    assert line["request"] == name


def test_the_setting_chooses_the_form():
    chosen = logs.to_stderr("INFO", "JSON")
    assert chosen["handlers"]["stderr"]["formatter"] == "JSON"
    assert chosen["formatters"]["JSON"]["()"] is logs.JsonLine


def break_down(log: logging.Logger) -> None:
    nothing: dict[str, str] = {}
    try:
        try:
            nothing["/told/s3cr3t-1?x"]
        except KeyError as error:
            raise ValueError("ada@example.org at '/erasure/status/s3cr3t-2'") from error
    except ValueError:
        log.exception("Refused: %s", "/erasure/confirm/s3cr3t-3/")


@pytest.mark.parametrize("form", ["LINE", "JSON"])
def test_no_form_writes_a_secret_link_or_the_address_in_an_error(form):
    log = logging.getLogger("expunge.test")
    with written(form) as text, written("LINE") as beside:
        break_down(log)
        log.info("nothing to hide, 100 %")
    said, *_, last = text.getvalue().splitlines()
    assert "s3cr3t" not in text.getvalue() + beside.getvalue()
    assert "ada@" not in text.getvalue() + beside.getvalue()
    assert "Refused: /erasure/confirm/[secret]/" in said
    assert "ValueError" in text.getvalue()
    assert "nothing to hide, 100 %" in last


def test_a_line_to_read_keeps_what_helps_of_an_error():
    with written("LINE") as text:
        break_down(logging.getLogger("expunge.test"))
    assert "KeyError: '/told/[secret]?x'" in text.getvalue()
    assert "ValueError: [address] at '/erasure/status/[secret]'" in text.getvalue()
    assert "in break_down" in text.getvalue()


def test_another_handler_sees_the_record_as_it_was(caplog):
    with written("LINE"):
        logging.getLogger("expunge.test").warning("at %s", "/told/abc/")
    assert caplog.records[-1].args == ("/told/abc/",)


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("no row for 'ada@example.org'", "no row for '[address]'"),
        ("Key (email)=(o'brien+x@mail.example.org) exists", "Key (email)=([address]) exists"),
        ("<ada@example.org>,bert@example.org.", "<[address]>,[address]."),
        ("light@node: postgresql://expunge:secret@db.example.org/x", "light@node: postgresql://expunge:[address]/x"),
    ],
)  # fmt: skip
def test_addresses_are_cut_out_and_nothing_else(said, left):
    assert without_addresses(said) == left


@examples(max_examples=40)
@given(st.text(alphabet="a.@-+% é\n", max_size=60))
def test_no_address_is_left_of_any_text(text):
    assert not re.search(r"\w@\w+\.\w", without_addresses(text))


def test_a_long_text_without_an_address_takes_no_time():
    started = time.perf_counter()
    assert without_addresses("a." * 50_000) == "a." * 50_000
    assert without_addresses("a@a" + "-a" * 50_000).endswith("-a")
    assert time.perf_counter() - started < 2


def test_nothing_of_a_person_is_logged_over_a_whole_case(world, client, lines, settings):
    settings.STATIC_ROOT = settings.VAR
    world.train("base", world.snapshot(ADA, BERT, CLEO, DORA))
    case = world.erased()
    assert case.status == "SEALED"
    links = {
        link for letter in mail.outbox for link in re.findall(r"https?://\S+", str(letter.body))
    }
    paths = [re.sub(r"https?://[^/]+", "", link).rstrip(".") for link in links]
    for path in paths:
        client.get(path)
        client.get(path + "nowhere")  # which Django logs
    told = lines()
    of_case = [line for line in told if line.get("case") == case.reference]
    assert {"request", "job", "case"} <= {key for line in told for key in line}
    assert [line for line in of_case if "job" in line]
    everything = json.dumps(told, ensure_ascii=False).casefold()
    tokens = {part for path in paths for part in path.split("/") if len(part) > 20}
    assert tokens
    for secret in (ADA, ADA.partition("@")[0] + "@", *tokens):
        assert secret.casefold() not in everything
