"""A site of its own for each attack, and the count of what was tried."""

from __future__ import annotations

import pytest
from django.core.cache import cache

from audits import keys
from tests.attackers import counting


@pytest.fixture
def site(db, settings, tmp_path):
    """A site with keys, without limits of time on its forms."""
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    settings.STATIC_ROOT = tmp_path
    settings.EXPUNGE_FORM_MIN_SECONDS = 0
    cache.clear()
    keys.create_signing_key()


def pytest_sessionfinish() -> None:
    """Keep the counts of the run."""
    counting.keep()
