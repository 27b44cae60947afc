"""What the command ``expunge`` shows of an answer, and with what it ends."""

from __future__ import annotations

import json

import httpx
import pytest

from expunge.cli.session import Exit
from tests.audits.core_trail.make_golden_bundle import BUNDLE
from tests.audits.core_trail.make_golden_bundle import KEY as ISSUER
from tests.expunge.cli.runs import CASE, answer, page, run
from tests.expunge.platforms import Platform, problem

NAMED = {"version": "v1", "name": "faces v1", "state": "ACTIVE"}


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


def test_records_are_listed_and_shown():
    row = {"record": "s:1", "generated_at": "2026-03-02T09:30:00Z", "erased_at": None}
    done = run(Platform(page(row)), "record", "list", "digits")
    assert "s:1" in done.stdout
    platform = Platform(answer({**row, "restricted": True}))
    done = run(platform, "record", "show", "s:1")
    assert "restricted" in done.stdout
    assert platform.seen[0].url.path == "/api/v1/records/s:1"
