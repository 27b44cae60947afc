"""A snapshot that runs read."""

from __future__ import annotations

import pytest

from tests.lineage.builders import filled, snapshot


@pytest.fixture
def taken(now):
    return snapshot(filled("faces", 6, now), now)
