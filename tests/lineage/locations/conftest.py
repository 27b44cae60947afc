from __future__ import annotations

import pytest

from tests.lineage.locations import places


@pytest.fixture
def shop(settings):
    """Another system on this machine, which may be asked."""
    settings.EXPUNGE_PRIVATE_HOSTS = ["127.0.0.1"]
    yield from places.serving()


@pytest.fixture(params=sorted(places.BUILDERS))
def built(request, db, tmp_path, monkeypatch):
    """Each kind of place in turn."""
    found = places.BUILDERS[request.param](tmp_path, monkeypatch)
    if found.kind == "webhook":
        found.settings["url"] = request.getfixturevalue("shop").url
    return found
