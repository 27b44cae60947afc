"""What logs and pages of errors give away, and how secrets are compared.

Further: ``tests/audits/test_requests.py`` (digests in place of tokens), ``tests/test_admin.py``.
"""

from __future__ import annotations

import ast
import logging
import re
from pathlib import Path

import pytest
from django.conf import settings as installed
from django.test import Client

from audits import workflow
from config.logs import JsonLine, TextLine
from tests.attackers.counting import tried
from tests.attackers.site_map import with_token
from tests.audits.views.visits import ask

ROOT = Path(__file__).parents[2]
SECRET = "s3cr3t-of-a-person"
NAMED = re.compile(r"(^|[._])(token|secret|signature|mac|password|passphrase)s?$")
_WORDS = r"(token|secret|signature|mac|password|passphrase)"
SUSPECT = re.compile(rf"{_WORDS}s? *[!=]=|[!=]= *[\w.]*{_WORDS}")


def test_no_token_of_any_address_comes_into_a_log():
    pages = with_token()
    assert len(pages) >= 10
    for one in pages:
        path = "/" + re.sub(r"<str:token>", SECRET, one.route)
        record = logging.LogRecord("django.request", 30, "", 1, "Not Found: %s", (path,), None)
        for form in (TextLine(), JsonLine()):
            assert SECRET not in form.format(record), one.route
    tried("tokens looked for in logs", len(pages))


@pytest.mark.django_db
@pytest.mark.usefixtures("site")
def test_a_page_of_an_error_tells_nothing_of_what_failed(monkeypatch, caplog, settings):
    settings.DEBUG = False

    def break_down(**_: object):
        password = "hunter2-in-a-local-variable"
        raise RuntimeError(f"/srv/private/path {password}")

    monkeypatch.setattr(workflow, "submit", break_down)
    client = Client(raise_request_exception=False)
    answers = [ask(client, "ada@example.org")]
    answers += [client.get(f"/erasure/status/{SECRET}/"), client.get("/nothing/")]
    answers += [client.get("/", headers={"host": "evil.example"})]
    assert [one.status_code for one in answers] == [500, 404, 404, 400]
    for one in answers:
        shown = one.content.decode()
        for word in (
            "Traceback",
            "RuntimeError",
            "hunter2",
            "/srv/",
            installed.SECRET_KEY,
            "DEBUG",
        ):
            assert word not in shown
        assert SECRET not in shown
        assert "evil.example" not in shown
    assert "ada@example.org" not in caplog.text
    tried("pages of errors read", len(answers))


def compared(tree: ast.AST):
    """Every ``==`` or ``!=`` between two names of which one is that of a secret."""
    for one in ast.walk(tree):
        if isinstance(one, ast.Compare) and isinstance(one.ops[0], ast.Eq | ast.NotEq):
            sides = [one.left, one.comparators[0]]
            if not any(isinstance(side, ast.Constant) for side in sides) and any(
                NAMED.search(ast.unparse(side)) for side in sides
            ):
                yield ast.unparse(one)


def test_no_secret_is_compared_letter_by_letter():
    known = {"known[0] == token"}  # says which reading of the fleet a process keeps
    found = set()
    for app in ("audits", "config", "expunge", "lineage", "unlearning"):
        for path in (ROOT / app).rglob("*.py"):
            if SUSPECT.search(text := path.read_text()):
                found |= set(compared(ast.parse(text)))
    assert found <= known, found
    assert SUSPECT.search("given == row.secret")
    assert set(compared(ast.parse("given == row.secret\na.token != b")))
