"""Lines of the process logs as JSON: what they are about, and that they are of nobody."""

from __future__ import annotations

import json
import logging
import re
import uuid
from io import StringIO

import pytest
from django.core import mail

from config import logs
from config.celery import app as celery
from config.redaction import RedactSecretLinks
from lineage.core.log_context import about, bound
from tests.audits.world import ADA, BERT, CLEO, DORA


@pytest.fixture
def lines():
    """What the processes of an installation would write, read back line by line."""
    written = StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(logs.JsonLine())
    handler.addFilter(RedactSecretLinks())
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield lambda: [json.loads(line) for line in written.getvalue().splitlines()]
    root.removeHandler(handler)
    root.setLevel(before)


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
def test_a_task_that_fails_does_not_have_its_exception_quoted_by_celery(lines, throws):
    name = f"tests.fails_{len(throws)}"  # an app that is made later takes over every task

    @celery.task(name=name, throws=throws)
    def fails():
        int("ada@example.org")

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
    assert chosen["handlers"]["stderr"]["filters"] == ["secrets"]


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
