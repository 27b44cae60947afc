"""How long a refusal takes says nothing of how much of a secret was right.

Times are not measured. A refused secret must be met by its digest alone, or by a comparison in
constant time; and one whose first letter is wrong must take the same way through the code, line
by line, as one whose last letter is.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import sys
import uuid
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
from django.core import signing
from django.db import connection
from django.test import Client

from audits.core.commitment import commit, opens
from audits.services import asking, notice_links
from expunge import webhooks
from lineage.models import ApiKey
from tests.api.worlds import bearer, secret
from tests.attackers.counting import tried
from tests.audits.views.conftest import links  # noqa: F401  (a fixture)
from tests.audits.views.visits import ask

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("site")]
ROOT = Path(__file__).parents[2]
OURS = tuple(f"{ROOT / app}/" for app in ("audits", "config", "expunge", "lineage"))
TOKEN, CASE_KEY = "c" * 43, bytes(32)
WEBHOOK, SENT = webhooks.secret_text(bytes(32)), 1_800_000_000
TOLD = b'{"id": "m", "type": "case.sealed", "timestamp": "", "data": {}}'
MESSAGE = webhooks.sign([WEBHOOK], message="m", at=SENT, body=TOLD)
MADE_UP = {"answer", "notice"}  # signed well, and of nothing that is there
COMPARED = {
    "key",
    "metrics",
    "webhook",
    "commitment",
}  # by us; the others by Django, or not at all


class Watched:
    """What was compared in constant time, what the database was asked, and which lines ran."""

    def __init__(self, *ours: str) -> None:
        self.ours = ours or OURS
        self.compared: list[tuple[str, str]] = []
        self.asked: list[str] = []
        self.lines: list[tuple[str, int]] = []

    @contextmanager
    def watching(self, monkeypatch):
        real, before = hmac.compare_digest, sys.gettrace()

        def compare(one, other) -> bool:
            self.compared.append((text(one), text(other)))
            return real(one, other)

        def query(execute, sql, given, many, context):
            self.asked.append(f"{sql} {given}")
            return execute(sql, given, many, context)

        def traced(frame, event, _):
            if not frame.f_code.co_filename.startswith(self.ours):
                return None
            if event == "line":
                self.lines.append((frame.f_code.co_filename, frame.f_lineno))
            return traced

        with monkeypatch.context() as patched, connection.execute_wrapper(query):
            patched.setattr(hmac, "compare_digest", compare)
            patched.setattr(secrets, "compare_digest", compare)
            sys.settrace(traced)
            try:
                yield self
            finally:
                sys.settrace(before)


def text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


def swapped(value: str, at: int) -> str:
    """A secret with one letter wrong."""
    at %= len(value)
    return value[:at] + ("A" if value[at] != "A" else "B") + value[at + 1 :]


class Way(NamedTuple):
    """A way in with a secret, where its first and last letter are, and whether it refuses."""

    secret: str
    first: int
    last: int
    refuses: Callable[[str], bool]

    def wrong(self) -> tuple[str, str]:
        """The secret with its first, and with its last letter wrong."""
        return swapped(self.secret, self.first), swapped(self.secret, self.last)


def page(way: str) -> Callable[[str], bool]:
    return lambda shown: Client().get(f"/{way}/{shown}/").status_code in {404, 410}


def called(path: str) -> Callable[[str], bool]:
    return lambda shown: Client().get(path, headers=bearer(shown)).status_code in {401, 404}


def unsigned(shown: str) -> bool:
    try:
        webhooks.verify({**MESSAGE, webhooks.SIGNATURE: shown}, TOLD, WEBHOOK, now=SENT)
    except webhooks.NotGenuine:
        return True
    return False


@pytest.fixture
def ways(links, settings, tmp_path):  # noqa: F811
    ask(Client(), "ada@example.org")
    confirm, status = (link.rstrip("/").rsplit("/", 1)[1] for link in links())
    key, made_up = secret("cases:read"), str(uuid.UUID(int=7))
    (tmp_path / "token").write_text(TOKEN)
    settings.EXPUNGE_METRICS, settings.EXPUNGE_METRICS_NETWORKS = True, []
    settings.EXPUNGE_METRICS_TOKEN_FILE = str(tmp_path / "token")
    answer = signing.Signer(salt=asking.ANSWER_SALT).sign(made_up)
    told = signing.dumps(made_up, salt=notice_links.SALT)
    signed = [text.rindex(":") + 1 for text in (confirm, answer, told)]
    opened = commit(CASE_KEY, {})
    return {
        "confirmation": Way(confirm, signed[0], -1, page("erasure/confirm")),
        "answer": Way(answer, signed[1], -1, page("erasure/answer")),
        "notice": Way(told, signed[2], -1, page("told")),
        "status": Way(status, 0, -1, page("erasure/status")),
        "key": Way(key, key.rindex("_") + 1, -1, called("/api/v1/cases")),
        "metrics": Way(TOKEN, 0, -1, called("/metrics")),
        "webhook": Way(MESSAGE[webhooks.SIGNATURE], 3, -3, unsigned),
        "commitment": Way(opened, 0, -1, lambda shown: not opens(shown, CASE_KEY, {})),
    }


def check(way: Way, monkeypatch, *ours: str) -> list[Watched]:
    """Refuse both wrong secrets on one way, which reads no more of them than a digest."""
    assert all(map(way.refuses, way.wrong()))  # what is made once is made by now
    seen = []
    for shown in way.wrong():
        with Watched(*ours).watching(monkeypatch) as watched:
            assert way.refuses(shown)
        assert not any(shown[way.first :] in query for query in watched.asked)
        digest = hashlib.sha256(shown.encode()).hexdigest()
        assert watched.compared or any(digest in query for query in watched.asked)
        seen.append(watched)
    assert seen[0].lines == seen[1].lines
    assert len(seen[0].compared) == len(seen[1].compared)
    return seen


def test_a_wrong_secret_is_refused_on_one_way_wherever_it_is_wrong(ways, monkeypatch):
    for name, way in ways.items():
        assert not way.refuses(way.secret) or name in MADE_UP, name
        for watched in check(way, monkeypatch):
            pairs = watched.compared if name in COMPARED else []
            assert pairs or name not in COMPARED, name
            assert all(len(one) == len(other) for one, other in pairs), name
    tried("secrets wrong at their first or last letter", 2 * len(ways))


def by_letters(shown: str) -> bool:
    return any(one != other for one, other in zip(shown, TOKEN, strict=True))


@pytest.mark.parametrize(
    "refuses",
    [
        by_letters,
        lambda shown: shown != TOKEN,
        lambda shown: not hmac.compare_digest(shown, TOKEN) and by_letters(shown),
    ],
)
def test_a_comparison_that_ends_early_is_found(refuses, monkeypatch):
    with pytest.raises(AssertionError):
        check(Way(TOKEN, 0, -1, refuses), monkeypatch, __file__)


def test_a_secret_that_the_database_is_asked_for_is_found(monkeypatch):
    def refuses(shown: str) -> bool:
        hmac.compare_digest(shown, TOKEN)
        return not ApiKey.objects.filter(digest=shown).exists()

    with pytest.raises(AssertionError):
        check(Way(TOKEN, 0, -1, refuses), monkeypatch, __file__)
