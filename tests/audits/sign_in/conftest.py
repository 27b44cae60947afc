"""An account to sign in with, and a site that locks it soon."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.core.cache import cache

from tests.audits.sign_in.clients import PASSWORD
from tests.audits.world import member

if TYPE_CHECKING:
    from django.contrib.auth.models import User


@pytest.fixture(autouse=True)
def site(settings, tmp_path, signing_key, monkeypatch):
    settings.STATIC_ROOT = tmp_path
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    settings.EXPUNGE_LOCK_AFTER = 3
    cache.clear()
    # The transaction of a test never ends; that of a view does, before its answer is sent.
    monkeypatch.setattr("django.db.transaction.on_commit", lambda call, **_: call())


@pytest.fixture
def ann() -> User:
    user = member("ann", "Administrator", "Model operator")
    user.set_password(PASSWORD)
    user.save()
    return user
