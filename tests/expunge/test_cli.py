"""The command ``expunge``: what it asks, how it answers, and with what it ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

import click
import httpx
import pytest
from click.testing import CliRunner

import expunge
from expunge import flush
from expunge.cli.main import cli
from expunge.cli.session import Exit, Session
from tests.audits.core_trail.make_golden_bundle import BUNDLE
from tests.audits.core_trail.make_golden_bundle import KEY as ISSUER
from tests.expunge import cli_page
from tests.expunge.test_client import KEY, URL, Platform, problem

if TYPE_CHECKING:
    from collections.abc import Mapping

CASE = {
    "reference": "ER-1",
    "kind": "ERASURE",
    "status": "RECEIVED",
    "outcome": "",
    "received_at": "2026-03-02T09:30:00Z",
    "due_on": None,
}
NAMED = {"version": "v1", "name": "faces v1", "state": "ACTIVE"}


def answer(content: object, status: int = 200) -> httpx.Response:
    return httpx.Response(status, json=content)


def page(*items: dict[str, Any]) -> httpx.Response:
    return answer({"items": items, "cursor": None})


def run(
    platform: Platform,
    *words: str,
    stdin: str | None = None,
    environ: Mapping[str, str] | None = None,
) -> Any:  # noqa: ANN401
    """Run a command against a platform that gives prepared answers."""
    make = partial(
        expunge.Client,
        transport=httpx.MockTransport(platform),
        pause=platform.pauses.append,
        environ=environ or {"EXPUNGE_API_KEY": KEY, "EXPUNGE_URL": URL},
    )
    return CliRunner().invoke(cli, words, obj=Session(make=make), input=stdin)


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


def test_no_way_of_showing_an_answer_passes_on_what_a_terminal_obeys():
    bad = "ER\x1b[2J\x9b1m\u202e"
    for words in (["case", "list"], ["case", "list", "--json"], ["case", "show", "ER-1"]):
        said = page if "list" in words else answer
        shown = run(Platform(said({**CASE, "reference": bad})), *words).stdout
        assert "ER" in shown
        assert not {"\x1b", "\x9b", "\u202e"} & set(shown), words
        if "--json" in words:
            assert json.loads(shown)[0]["reference"] == bad
    made = run(
        Platform(answer({**CASE, "reference": bad}, 201)), "request", "new", stdin="a@b.c\n"
    )
    assert made.stdout == "ER[2J1m is received.\n"
    refused = run(Platform(problem(422, bad)), "case", "show", "ER-1").stderr
    assert "\x1b" not in refused


def test_a_list_is_a_table_for_people_and_json_for_programs():
    platform = Platform(page(CASE, {**CASE, "reference": "ER-2"}))
    table = run(platform, "case", "list").stdout.splitlines()
    assert table[0].split() == [
        "reference",
        "kind",
        "status",
        "outcome",
        "received",
        "at",
        "due",
        "on",
    ]
    assert table[1].split() == ["ER-1", "ERASURE", "RECEIVED", "-", "2026-03-02T09:30:00Z", "-"]
    told = json.loads(run(platform, "case", "list", "--json").stdout)
    assert [one["reference"] for one in told] == ["ER-1", "ER-2"]


def test_a_list_that_is_cut_says_so():
    platform = Platform(page(CASE, {**CASE, "reference": "ER-2"}))
    done = run(platform, "case", "list", "--limit", "1")
    assert "ER-2" not in done.stdout
    assert "--limit 0 shows all" in done.stderr
    done = run(platform, "case", "list", "--limit", "0", "--status", "RECEIVED")
    assert "ER-2" in done.stdout
    assert dict(platform.seen[-1].url.params) == {"status": "RECEIVED"}


def test_an_answer_cannot_give_orders_to_the_terminal():
    done = run(Platform(page({**CASE, "reference": "ER\x1b[2J[red]1"})), "case", "list")
    assert "ER[2J[red]1" in done.stdout


def test_a_report_is_written_once(tmp_path):
    platform = Platform(httpx.Response(200, content=b"%PDF"))
    out = tmp_path / "r.pdf"
    words = ("case", "report", "ER-1", "--out", str(out), "--edition", "person")
    done = run(platform, *words)
    assert (done.exit_code, done.stdout, out.read_bytes()) == (0, f"{out}\n", b"%PDF")
    assert platform.seen[0].url.params["edition"] == "person"
    assert run(platform, *words).exit_code == Exit.NOT_ASKED
    assert json.loads(run(platform, *words, "--force", "--json").stdout)["bytes"] == 4


def test_the_versions_that_learned_from_a_person_are_found_by_their_address():
    hit = {**NAMED, "influence": "DIRECT", "hits": 2}
    found = {"records": {}, "affected": [hit], "possibly_affected": [NAMED], "not_affected": 3}
    platform = Platform(answer({"subject": {"subject": "p-1"}}), answer(found))
    done = run(platform, "lineage", "versions", "--email", "-", stdin="ada@example.org\n")
    assert [line.split()[0] for line in done.stdout.splitlines()] == [
        "affected",
        "yes",
        "possibly",
    ]
    assert platform.seen[1].url.params["subject"] == "p-1"
    assert "ada" not in "".join(str(request.url) for request in platform.seen)


@pytest.mark.parametrize(
    ("words", "address"),
    [
        (["lineage", "run", "u-1"], "/runs/u-1"),
        (["lineage", "snapshot", "s-1"], "/snapshots/s-1"),
        (["subject", "show", "p-1"], "/subjects/p-1"),
    ],
)
def test_one_thing_is_shown_by_its_identifier(words, address):
    platform = Platform(answer({"state": "COMPLETE"}))
    done = run(platform, *words)
    assert (done.exit_code, done.stdout.split()) == (0, ["state", "COMPLETE"])
    assert platform.seen[0].url.path.endswith(address)


def test_a_webhook_is_shown_by_its_name():
    hook = {"name": "desk", "webhook": "w-1"}
    platform = Platform(page(hook), answer({**hook, "health": "GOOD"}))
    assert "GOOD" in run(platform, "webhook", "show", "desk").stdout
    assert platform.seen[1].url.path.endswith("/webhooks/w-1")
    assert run(Platform(page(hook)), "webhook", "show", "d").exit_code == Exit.REFUSED


def test_a_person_is_found_by_an_identifier_and_their_records_by_the_pseudonym():
    platform = Platform(answer({"subject": {"subject": "p-1", "records": 2}}))
    done = run(platform, "subject", "find", "--email", "-", stdin="ada@example.org\n")
    assert done.stdout.split() == ["subject", "p-1", "records", "2"]
    assert json.loads(platform.seen[0].content) == {"kind": "EMAIL", "value": "ada@example.org"}
    nobody = run(Platform(answer({"subject": None})), "subject", "find", "--external", "7")
    assert (nobody.exit_code, nobody.stdout) == (Exit.REFUSED, "")
    row = {"record": "faces:3", "generated_at": "2026-03-02", "erased_at": None}
    platform = Platform(page(row))
    assert "faces:3" in run(platform, "subject", "records", "p-1").stdout
    assert platform.seen[0].url.path.endswith("/subjects/p-1/records")


def test_nobody_is_found_by_an_address_that_is_not_known():
    done = run(
        Platform(answer({"subject": None})), "lineage", "versions", "--email", "x@example.org"
    )
    assert (done.exit_code, done.stderr) == (
        Exit.REFUSED,
        "Error: Nobody has this identifier here.\n",
    )


@pytest.mark.parametrize(
    ("affected", "code", "sentence"),
    [
        (True, 1, "faces v1 learned from it (2 records, DIRECT):\n  faces/3 (TRAINING, DIRECT)\n"),
        (False, 0, "faces v1 did not learn from it.\n"),
        (None, 1, "Nobody knows whether faces v1 learned from it: its data were not captured.\n"),
    ],
)
def test_why_a_version_learned_is_told_with_the_way(affected, code, sentence):
    step = {"source": "faces/3", "role": "TRAINING", "influence": "DIRECT"}
    found = {**NAMED, "affected": affected, "hits": 2, "influence": "DIRECT", "why": [step]}
    done = run(Platform(answer(found)), "lineage", "why", "v1", "--record", "faces:3")
    assert (done.exit_code, done.stdout) == (code, sentence)


@pytest.mark.parametrize(("usable", "code"), [(True, 0), (False, 1)])
def test_whether_a_version_may_be_used_is_the_exit_code(usable, code):
    served = {**NAMED, "state": "WITHDRAWN", "usable": usable, "outputs": "FULL"}
    for words in (["v1"], ["--model", "faces"], ["v1", "--json"]):
        assert run(Platform(answer(served)), "serve", "check", *words).exit_code == code


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


def test_a_case_is_verified_without_a_connection(tmp_path):
    platform = Platform(problem(503))
    assert run(platform, "verify", str(BUNDLE), "--key", str(ISSUER)).stdout.startswith(
        "VERIFIED."
    )
    assert run(platform, "verify", str(BUNDLE)).exit_code == 2
    changed = tmp_path / "case.zip"
    data = bytearray(BUNDLE.read_bytes())
    data[len(data) // 2] ^= 1
    changed.write_bytes(data)
    done = run(platform, "verify", str(changed), "--key", str(ISSUER))
    assert (done.exit_code, done.stdout[:9], platform.seen) == (1, "REJECTED.", [])


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_learns_to_complete(shell):
    done = run(Platform(problem(503)), "completion", shell)
    assert done.exit_code == 0
    assert f"_EXPUNGE_COMPLETE={shell}_complete" in done.stdout


def test_the_completion_knows_verbs_and_values():
    environ = {
        **os.environ,
        "_EXPUNGE_COMPLETE": "bash_complete",
        "COMP_WORDS": "expunge version list --state W",
        "COMP_CWORD": "4",
    }
    done = subprocess.run(
        [sys.executable, "-m", "expunge"], env=environ, capture_output=True, text=True, check=False
    )
    assert done.stdout.split() == ["plain,WITHDRAWN"]


def test_the_command_tells_its_version():
    assert run(Platform(problem(503)), "--version").stdout.split()[-1] == expunge.__version__


def test_the_page_documents_every_command_as_it_explains_itself():
    page = cli_page.PAGE.read_text()
    assert page == cli_page.page_text(page), "run python -m tests.expunge.cli_page"
    for name in cli_page.commands(cli):
        assert f"### `expunge {name}`" in page


def test_the_page_explains_every_exit_code():
    page = cli_page.PAGE.read_text()
    assert [code for code in Exit if f"| {int(code)} |" not in page] == []


def test_no_command_takes_the_key():
    options = {
        option
        for command in cli_page.commands(cli).values()
        for one in command.params
        if isinstance(one, click.Option)
        for option in one.opts
    }
    assert {"--json", "--email"} <= options
    assert {"--api-key", "--token", "--password"} & options == set()


HOOK = {
    "webhook": "w1",
    "name": "desk",
    "state": "ACTIVE",
    "health": "It answers",
    "url": "https://desk.example/",
    "events": ["case.sealed"],
    "secret_number": 3,
}
MESSAGE = {"message": "m1", "type": "webhook.test", "state": "WAITING", "attempts": 0}


def test_a_webhook_is_added_and_its_secret_alone_is_printed():
    platform = Platform(answer({**HOOK, "secret": "whsec_abc"}, 201))
    words = "webhook add desk https://desk.example/ --event case.sealed --event case.received"
    done = run(platform, *words.split())
    assert (done.exit_code, done.stdout) == (0, "whsec_abc\n")
    assert "shown this once" in done.stderr
    assert json.loads(platform.seen[0].content) == {
        "name": "desk",
        "url": "https://desk.example/",
        "events": ["case.sealed", "case.received"],
    }


@pytest.mark.parametrize(
    ("words", "answered", "asked", "said"),
    [
        ("remove --yes desk", httpx.Response(204), "DELETE /api/v1/webhooks/w1", "is removed"),
        ("pause desk", answer(HOOK), "POST /api/v1/webhooks/w1/pause", "desk is paused"),
        ("resume w1", answer(HOOK), "POST /api/v1/webhooks/w1/resume", "goes on"),
        ("test desk", answer(MESSAGE, 202), "POST /api/v1/webhooks/w1/test", "Message m1"),
        (
            "rotate desk",
            answer({**HOOK, "secret": "whsec_new"}),
            "POST /api/v1/webhooks/w1/secret",
            "whsec_new",
        ),
        (
            "redeliver desk m1",
            answer(MESSAGE, 202),
            "POST /api/v1/webhooks/w1/deliveries/m1/again",
            "on its way",
        ),
        (
            "deliveries desk --state FAILED",
            page({**MESSAGE, "status": 500, "error": "", "next_try_at": None}),
            "GET /api/v1/webhooks/w1/deliveries",
            "webhook.test",
        ),
    ],
)
def test_a_webhook_is_named_as_people_name_it(words, answered, asked, said):
    platform = Platform(page({**HOOK, "webhook": "w0", "name": "bank"}, HOOK), answered)
    done = run(platform, "webhook", *words.split())
    assert done.exit_code == 0, done.stderr
    assert said in done.stdout
    assert f"{platform.seen[-1].method} {platform.seen[-1].url.path}" == asked
    done = run(Platform(page()), "webhook", *words.split())
    assert (done.exit_code, done.stdout) == (Exit.REFUSED, "")
    assert "There is no webhook" in done.stderr


def test_what_is_removed_already_after_a_lost_answer_is_removed():
    platform = Platform(page(HOOK), problem(503), problem(404, "There is no webhook."))
    done = run(platform, "webhook", "remove", "--yes", "desk")
    assert (done.exit_code, len(platform.seen)) == (0, 3)
    done = run(Platform(page(HOOK), problem(404, "Gone.")), "webhook", "remove", "--yes", "desk")
    assert (done.exit_code, done.stderr) == (Exit.REFUSED, "Error: Gone.\n")


def test_a_version_is_said_to_run_somewhere_and_the_contact_is_on_no_command_line():
    made = {"deployment": "d1", "name": "faces v1", "usable": True}
    platform = Platform(answer(made, 201))
    words = "deployment add v1 shop --kind HUB --contact -"
    done = run(platform, *words.split(), stdin="ops@example.org\n")
    assert done.exit_code == 0, done.stderr
    assert json.loads(platform.seen[0].content) == {
        "version": "v1",
        "place": "shop",
        "kind": "HUB",
        "contact": "ops@example.org",
    }
    run(platform, "deployment", "gone", "d1")
    assert platform.seen[1].url.path == "/api/v1/deployments/d1/withdrawn"


def test_an_objection_is_decided_and_an_answer_takes_longer_for_reasons_in_files(tmp_path):
    why = tmp_path / "why.txt"
    why.write_text("Nothing outweighs it.")
    platform = Platform(answer({"decision": "d", "state": "PROPOSED"}, 201))
    run(platform, "case", "objection", "ER-1", "--overruled", "--balance", str(why))
    done = run(platform, "case", "extend", "ER-1", "--reason", "NUMBER", "--text", str(why))
    assert done.exit_code == 0, done.stderr
    assert [json.loads(one.content) for one in platform.seen] == [
        {"result": "OVERRULED", "balance": "Nothing outweighs it."},
        {"reason": "NUMBER", "text": "Nothing outweighs it."},
    ]
    done = run(platform, "case", "objection", "ER-1")
    assert (done.exit_code, len(platform.seen)) == (Exit.NOT_ASKED, 2)


def test_records_are_listed_and_shown():
    row = {"record": "s:1", "generated_at": "2026-03-02T09:30:00Z", "erased_at": None}
    done = run(Platform(page(row)), "record", "list", "digits")
    assert "s:1" in done.stdout
    platform = Platform(answer({**row, "restricted": True}))
    done = run(platform, "record", "show", "s:1")
    assert "restricted" in done.stdout
    assert platform.seen[0].url.path == "/api/v1/records/s:1"
