"""A registry that is drawn."""

from __future__ import annotations

from datetime import timedelta

import pytest

from lineage.models import Role
from tests.lineage.builders import base, data, filled, snapshot, trained


@pytest.fixture(autouse=True)
def static(settings, tmp_path):
    settings.STATIC_ROOT = tmp_path


@pytest.fixture
def world(now):
    """Six snapshots a day apart, five models of the first, one of the last, and two from it."""
    faces = filled("faces", 9, now)
    taken = [snapshot(faces, now + timedelta(days=at), range(at + 1)) for at in range(6)]
    for at in range(5):
        trained(f"small{at}", now + timedelta(days=6), data(taken[0]))
    big = trained("big", now + timedelta(days=7), data(taken[5]), data(taken[4], Role.VALIDATION))
    tuned = trained("tuned", now + timedelta(days=8), base(big), capture_level="SNAPSHOT")
    hidden = trained("hidden", now + timedelta(days=8), base(big), capture_level="NONE")
    return {"faces": faces, "taken": taken, "big": big, "tuned": tuned, "hidden": hidden}
