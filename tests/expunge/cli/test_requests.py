"""The command ``expunge`` hands in requests, keeps them, and says what is wrong."""

from __future__ import annotations

import json

import httpx
import pytest

from expunge import flush
from expunge.cli.session import Exit
from tests.expunge.cli.runs import CASE, answer, run
from tests.expunge.platforms import KEY, URL, Platform, problem


def test_a_request_is_handed_in_without_the_address_on_the_command_line():
    platform = Platform(answer(CASE, 201))
    done = run(platform, "request", "new", "--kind", "CONSENT", stdin="ada@example.org\n")
    assert (done.exit_code, done.stdout) == (0, "ER-1 is received.\n")
    sent = json.loads(platform.seen[0].content)
    assert (sent["email"], sent["kind"]) == ("ada@example.org", "CONSENT")


def test_a_request_says_all_that_the_person_said():
    platform = Platform(answer(CASE, 201))
    words = "--email - --identifier EXTERNAL=- --identifier EMAIL=b@example.org --description -"
    when = "--received-at 2026-03-02T09:30+01:00 --key k1 --model faces --locale de"
    lines = "ada@example.org\ncustomer 7\nPlease forget me.\nThank you.\n"
    done = run(platform, "request", "new", *words.split(), *when.split(), stdin=lines)
    assert done.exit_code == 0, done.stderr
    sent = json.loads(platform.seen[0].content)
    assert sent["identifiers"] == [
        {"kind": "EXTERNAL", "value": "customer 7"},
        {"kind": "EMAIL", "value": "b@example.org"},
    ]
    assert sent["description"] == "Please forget me.\nThank you.\n"
    assert sent["received_at"] == "2026-03-02T09:30:00+01:00"
    assert platform.seen[0].headers["Idempotency-Key"] == "k1"


def test_a_request_is_kept_while_the_platform_is_away_and_sent_later(tmp_path):
    away = Platform(httpx.ConnectError("no"))
    words = ("request", "new", "--buffer", str(tmp_path))
    done = run(away, *words, stdin="ada@example.org\n")
    assert done.exit_code == Exit.AWAY
    assert f"kept in {tmp_path}" in done.stderr
    done = run(away, "request", "flush", str(tmp_path))
    assert done.exit_code == Exit.AWAY
    done = run(Platform(answer(CASE, 201)), "request", "flush", str(tmp_path))
    assert (done.exit_code, done.stdout) == (0, "1 sent.\n")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["request", "new", "--received-at", "tomorrow"], "write a moment with its zone"),
        (["request", "new", "--received-at", "2026-03-02"], "write a moment with its zone"),
        (["request", "new", "--identifier", "x"], "write KIND=VALUE"),
        (["request", "new", "--kind", "BLUE"], "'BLUE' is not one of"),
        (["lineage", "versions"], "Give one of --record"),
        (["lineage", "why", "v", "--record", "s:1", "--subject", "p"], "Give one of --record"),
        (["subject", "find"], "Give one of --email and --external."),
        (["subject", "find", "--email", "a", "--external", "b"], "Give one of --email"),
        (["serve", "check"], "Give a VERSION or --model"),
        (["case", "show", ""], "is no name of anything"),
        (["log", "proof", "-1"], "-1"),
        (["blue"], "No such command 'blue'"),
    ],
)
def test_what_is_wrong_with_a_command_is_said_and_nothing_is_asked(words, sentence):
    platform = Platform(answer(CASE))
    done = run(platform, *words, stdin="ada@example.org\n")
    assert (done.exit_code, platform.seen) == (Exit.NOT_ASKED, [])
    assert sentence in done.stderr


def test_an_address_that_does_not_come_is_missed():
    done = run(Platform(answer(CASE)), "request", "new", stdin="")
    assert done.exit_code == Exit.NOT_ASKED
    assert "read from standard input" in done.stderr


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (problem(404, "No such case."), Exit.REFUSED),
        (problem(422, "No such case."), Exit.REFUSED),
        (problem(403, "No such case."), Exit.KEY),
        (problem(503, "No such case."), Exit.AWAY),
    ],
)
def test_an_error_is_the_sentence_of_the_platform_and_a_code(said, code):
    done = run(Platform(said), "case", "show", "ER-1")
    assert (done.exit_code, done.stdout) == (code, "")
    assert done.stderr.startswith("Error: ")
    assert done.stderr.endswith("No such case.\n")
    assert KEY not in done.stderr


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("https://expunge.example.org:99999", KEY),
        ("https://expunge.example.org:port", KEY),
        ("https://[::1", KEY),
        ("http://expunge.example.org", KEY),
        (URL, "schl\u00fcssel"),
        (URL, "two\nlines"),
    ],
)
def test_an_address_or_a_key_that_cannot_be_used_is_a_sentence(url, key, tmp_path, capsys):
    platform = Platform(answer(CASE))
    done = run(platform, "--url", url, "case", "show", "ER-1", environ={"EXPUNGE_API_KEY": key})
    assert (done.exit_code, done.stdout, platform.seen) == (Exit.NOT_ASKED, "", [])
    assert done.stderr.startswith("Error: ")
    assert key not in done.stderr
    environ = {"EXPUNGE_URL": url, "EXPUNGE_API_KEY": key}
    assert flush.main([str(tmp_path)], environ) == Exit.NOT_ASKED
    assert capsys.readouterr().err


def test_http_to_another_machine_is_an_option():
    platform = Platform(answer(CASE))
    words = ("--url", "http://expunge.example.org", "--insecure", "case", "show", "ER-1")
    assert run(platform, *words).exit_code == 0
    assert platform.seen[0].url.scheme == "http"


def test_a_withdrawal_asks_once_more():
    platform = Platform(answer(CASE))
    done = run(platform, "case", "withdraw", "ER-1", stdin="n\n")
    assert (done.exit_code, platform.seen) == (Exit.STOPPED, [])
    assert run(platform, "case", "withdraw", "ER-1", "--yes").exit_code == 0


def test_a_decision_is_read_from_a_file(tmp_path):
    platform = Platform(answer({"decision": "ACCEPT", "state": "PROPOSED"}, 201))
    file = tmp_path / "decision.json"
    file.write_text("{")
    assert run(platform, "case", "decide", "ER-1", str(file)).exit_code == Exit.NOT_ASKED
    file.write_text('{"decision": "ACCEPT"}')
    assert run(platform, "case", "decide", "ER-1", str(file)).exit_code == 0
    assert json.loads(platform.seen[0].content) == {"decision": "ACCEPT"}


def test_a_proof_is_printed_as_it_is():
    platform = Platform(httpx.Response(200, text="c2sp.org/tlog-proof@v1\nindex 7\n"))
    done = run(platform, "log", "proof", "7")
    assert done.stdout == "c2sp.org/tlog-proof@v1\nindex 7\n"
