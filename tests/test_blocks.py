"""Every block of code in the documentation is run, or held against what it speaks of.

Here blocks are read, and run where they need nothing but this checkout. ``make blocks`` runs all
of them on an installation: see ``tests/site/blocks.py``.
"""

from __future__ import annotations

import ast
import base64
import importlib.util
import json
import re
import subprocess
import time
import tomllib
import uuid
from types import SimpleNamespace
from typing import Any

import pytest

from audits.core import webhook_events
from expunge import webhooks
from expunge.configuration import read_file
from tests.audits.core_trail.sealing import event
from tests.site import blocks, code_blocks, known_commands, prepared
from tests.site.code_blocks import ROOT, Block
from tests.site.known_commands import NotTaken

EVERY = code_blocks.every_block()
GOLDEN = ROOT / "tests" / "audits" / "core_trail" / "golden"
RECORD = json.loads((GOLDEN / "expunge-record-1.json").read_text())["envelope"]
MANIFEST = json.loads((GOLDEN / "expunge-manifest-1.json").read_text())
LANGUAGES = {"sh", "python", "json", "toml", "diff", "http", "text"}


def of(*languages: str) -> list[Block]:
    return [block for block in EVERY if block.language in languages]


def block_of(page: str, word: str) -> Block:
    """Return the one block of a page that has a word."""
    (found,) = [block for block in EVERY if block.page == page and word in block.text]
    return found


def python_of(block: Block) -> str:
    """Return a block of Python, or what a difference leads to."""
    lines = block.text.splitlines()
    if block.language == "diff":
        lines = [line[1:] for line in lines if not line.startswith("-")]
    return "\n".join(lines)


def signed_in(envelope: dict[str, Any]) -> Any:  # noqa: ANN401
    """Return what stands in a signed envelope."""
    return json.loads(base64.b64decode(envelope["payload"]))


def fits(written: Any, real: Any) -> bool:  # noqa: ANN401
    """Return whether a value has the members that are written, and no others."""
    if isinstance(written, dict) and written and isinstance(real, dict):
        return set(written) == set(real) and all(fits(written[name], real[name]) for name in real)
    if isinstance(written, list) and isinstance(real, list):
        return all(fits(one, other) for one, other in zip(written, real, strict=False))
    return isinstance(real, dict) if written == {} else True


@pytest.mark.parametrize("block", EVERY, ids=str)
def test_every_block_says_what_it_is_written_in(block):
    assert block.language in LANGUAGES, f"{block} has the language {block.language!r}"
    assert block.language != "text" or block.page in prepared.DRAWINGS


def test_no_block_is_code_by_its_indentation_alone():
    pages = {
        path.name: code_blocks.indented_blocks(path.read_text()) for path in code_blocks.pages()
    }
    assert {name: found for name, found in pages.items() if found} == {}
    assert code_blocks.indented_blocks("Run\n\n    make demo\n") == ["make demo"]


@pytest.mark.parametrize("block", of("sh"), ids=str)
def test_every_command_would_be_taken_by_its_program(block):
    known_commands.check_all(block.text)


@pytest.mark.parametrize(("page", "text"), code_blocks.mentions())
def test_every_command_in_a_sentence_is_there(page, text):
    known_commands.mention(text)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("python manage.py demo --jsn", "demo: .*--jsn"),
        ("python manage.py dmo", "no command dmo"),
        ("python manage.py api_key creat shop --scope serve", "creat"),
        ("python manage.py api_key create shop --scope servee", "servee"),
        ("python manage.py train faces --snapshot ID", "--recipe"),
        ("expunge case lst", "expunge has no case lst"),
        ("expunge case list --statuss SEALED", "statuss"),
        ("expunge case report", "REFERENCE"),
        ("expunge request new --kind ERAZURE", "ERAZURE"),
        ("make dmo", "no dmo"),
        ("make battery QIUCK=1", "QIUCK"),
        ('curl "$URL/api/v1/version"', "no GET /api/v1/version"),
        ("python -m expunge.flsh", "no module"),
        ("rm -rf var", "rm is no program"),
        ("A=1 true && echo $(python manage.py setupp)", "true is no program"),
        ("echo $(python manage.py setupp)", "setupp"),
    ],
)
def test_a_command_that_is_gone_is_found(line, said):
    with pytest.raises(NotTaken, match=said):
        known_commands.check_all(line)


@pytest.mark.parametrize(
    "text",
    [
        "manage.py fskc",
        "manage.py fsck --nte",
        "manage.py keys turn",
        "expunge log prof",
        "make x",
    ],
)
def test_a_command_that_is_gone_is_found_in_a_sentence(text):
    with pytest.raises(NotTaken):
        known_commands.mention(text)


@pytest.mark.parametrize("line", prepared.NOT_RUN)
def test_what_is_not_run_stands_in_a_page_and_has_a_reason_that_holds(line):
    lines = [f"{each} " for block in of("sh") for each in block.text.splitlines()]
    assert any(each.startswith(line) for each in lines)
    assert all((ROOT / path).exists() for path in re.findall(r"\S+\.py", prepared.NOT_RUN[line]))


@pytest.mark.parametrize("page", prepared.PAGES)
def test_what_is_put_into_a_page_still_has_its_place_there(page):
    text = "".join(block.text for block in EVERY if block.page == page)
    assert [mark for mark in prepared.PAGES[page].before if mark not in text] == []
    assert [name for name in prepared.PAGES[page].names if name not in text] == []


@pytest.mark.parametrize("page", [page for page, _ in blocks.wanted([])])
def test_the_session_of_every_page_can_be_read_by_the_shell(page):
    ((_, found),) = blocks.wanted([page])
    session = blocks.script(page, found)
    subprocess.run(["bash", "-n"], input=session, text=True, check=True)
    assert "make test" not in session


def test_the_names_of_a_page_hold_over_those_of_every_page():
    page = prepared.Page(names={"--snapshot ID": "--snapshot $OWN"})
    assert (
        blocks.adapted("train --snapshot ID --out DIR", page) == "train --snapshot $OWN --out out"
    )


def test_what_the_workers_cannot_do_of_a_page_is_found(monkeypatch):
    monkeypatch.setattr(time, "sleep", lambda _: None)
    seen = iter([[("TRAIN", "RUNNING", "")], [("TRAIN", "FAILED", "No such recipe.")], []])
    installation: Any = SimpleNamespace(query=lambda _: next(seen))
    assert blocks.left(installation) == ["job TRAIN, FAILED: No such recipe."]
    assert blocks.left(installation) == []


@pytest.mark.parametrize("block", of("python", "diff"), ids=str)
def test_every_block_of_python_compiles_and_finds_what_it_imports(block):
    tree = ast.parse(python_of(block))
    for found in ast.walk(tree):
        if isinstance(found, ast.ImportFrom) and str(found.module).split(".")[0] in OURS:
            assert [
                each.name for each in found.names if not is_in(str(found.module), each.name)
            ] == []


def is_in(module: str, name: str) -> bool:
    return hasattr(importlib.import_module(module), name) or bool(
        importlib.util.find_spec(f"{module}.{name}")
    )


OURS = {"expunge", "lineage", "unlearning", "audits", "config"}


@pytest.mark.parametrize(
    "block",
    [
        block
        for block in of("python")
        if block.page in prepared.OFFLINE and "Client(" not in block.text
    ],
    ids=str,
)
def test_blocks_that_need_no_platform_run(block):
    held: dict[str, Any] = {"__name__": "__main__"}
    exec(prepared.OFFLINE[block.page] + python_of(block), held)
    assert len(held) > 2


def test_the_receiver_of_the_page_takes_a_message_once_and_no_forgery():
    held: dict[str, Any] = {}
    exec(block_of("docs/webhooks.md", "def receive").text, held)
    secret = "whsec_" + base64.b64encode(b"k" * 24).decode()
    one = uuid.uuid4()
    body = webhook_events.test_message(one, "2026-03-02T12:00:00.000Z")
    headers = webhooks.sign([secret], message=str(one), at=int(time.time()), body=body)
    assert held["receive"](headers, body, secret) == 204
    assert held["receive"](headers, body, secret) == 204
    assert held["receive"](headers, body + b" ", secret) == 400


@pytest.mark.parametrize(
    ("word", "real"),
    [
        ("payloadType", RECORD),
        ("predicateType", signed_in(RECORD)),
        ("expunge-manifest/1", signed_in(MANIFEST)),
    ],
)
def test_the_formats_of_the_page_are_those_of_a_sealed_case(word, real):
    assert fits(json.loads(block_of("docs/evidence-format.md", word).text), real)


def test_a_format_that_differs_is_found():
    assert not fits({"a": 1}, {"a": 1, "b": 2})
    assert not fits({"a": [{"b": 1}]}, {"a": [{"c": 1}]})
    assert fits({"a": {}, "b": [1]}, {"a": {"any": 1}, "b": []})


def test_the_message_of_the_page_is_one_that_a_webhook_sends():
    sealed = event("case_sealed", {"record": "ab" * 32, "outcome": "ERASED"})
    sent = webhook_events.message_of(uuid.uuid4(), sealed, index=42, reference="ER-2026-0007")
    assert fits(json.loads(block_of("docs/webhooks.md", '"case.sealed"').text), json.loads(sent))


def test_the_configuration_of_the_page_is_read_by_the_client(tmp_path):
    file = tmp_path / "config.toml"
    file.write_text(block_of("docs/client.md", "api_key =").text)
    file.chmod(0o600)
    assert read_file(file, asked=True) == tomllib.loads(file.read_text())


@pytest.mark.parametrize("block", of("http"), ids=str)
def test_every_call_of_a_page_is_one_of_the_api_or_one_that_we_make(block):
    for line in block.text.splitlines():
        verb, _, rest = line.partition(" ")
        if rest.startswith("/api/"):
            known_commands.called(verb, rest.split()[0])
        elif line.startswith("X-"):
            assert line.partition(":")[0] in (ROOT / "lineage/locations/webhook.py").read_text()


@pytest.mark.parametrize("block", of("sh"), ids=str)
def test_every_variable_that_a_page_sets_is_documented(block):
    pages = "".join((ROOT / "docs" / name).read_text() for name in VARIABLES)
    for name in re.findall(r"\b(EXPUNGE_[A-Z_]+)=", block.text):
        assert f"`{name}`" in pages


VARIABLES = ("settings.md", "client.md")
