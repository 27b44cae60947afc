"""A case whose records are restricted."""

from __future__ import annotations

import pytest

from tests.audits.world import ADA


@pytest.fixture
def restricted(world):
    """A case whose records are restricted and that is not planned yet."""

    def of(email=ADA):
        return world.accepted(email)

    return of
