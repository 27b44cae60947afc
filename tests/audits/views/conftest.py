"""An installation of its own for every test of a page, and the people who look at it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.core.cache import cache
from django.test import Client

from audits import keys
from tests.audits.world import member, reviewer

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def site(db, settings, tmp_path) -> Path:
    """Keys, store, static files and cache lie in a folder of this test."""
    settings.KEYS = tmp_path / "keys"
    settings.EXPUNGE_STORE = f"file://{tmp_path / 'store'}"
    settings.EXPUNGE_JOURNAL = tmp_path / "journal" / "erasures.jsonl"
    settings.STATIC_ROOT = tmp_path / "static"
    settings.STATIC_ROOT.mkdir()
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    settings.EXPUNGE_FORM_MIN_SECONDS = 0
    cache.clear()
    keys.create_signing_key()
    home: Path = tmp_path
    return home


def _client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def decider() -> Client:
    """Staff who handle cases and decide about models."""
    return _client_of(member("decider", "Case officer", "Model operator"))


@pytest.fixture
def approver() -> Client:
    """Staff who may approve what somebody else proposed."""
    return _client_of(reviewer())


@pytest.fixture
def administrator() -> Client:
    """Staff who keep the registers and the policy."""
    return _client_of(member("administrator", "Administrator"))


@pytest.fixture
def reader() -> Client:
    """Staff who may only read."""
    return _client_of(member("reader", "Auditor"))


@pytest.fixture
def outsider() -> Client:
    """Somebody with an account who is not staff."""
    return _client_of(User.objects.create_user("outsider"))


@pytest.fixture
def links():
    """Return the (confirmation, status) links of the newest letter, as paths."""

    def of_newest_letter() -> tuple[str, str]:
        text = str(mail.outbox[-1].body)
        confirm = re.search(r"https?://[^/]+(/erasure/confirm/\S+)", text)
        status = re.search(r"https?://[^/]+(/erasure/status/\S+)", text)
        assert confirm
        assert status
        return confirm[1], status[1]

    return of_newest_letter
