"""A base whose states are kept, and its replay."""

from __future__ import annotations

import pytest

from tests.unlearning.histories.keeping import trained


@pytest.fixture(autouse=True)
def _kept(settings):
    settings.EXPUNGE_REPLAY_EVERY, settings.EXPUNGE_REPLAY_TWICE = 2, False


@pytest.fixture
def base(world):
    return trained(world, "base")
