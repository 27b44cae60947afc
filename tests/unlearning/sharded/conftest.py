"""A training in shards, and its versions after somebody left."""

from __future__ import annotations

import pytest

from tests.unlearning.sharded.votes import PEOPLE, STEPS
from tests.unlearning.shards import spread


@pytest.fixture(autouse=True)
def _sharded(settings):
    settings.EXPUNGE_SHARDS, settings.EXPUNGE_SLICES = 2, 2
    settings.EXPUNGE_REPLAY_EVERY, settings.EXPUNGE_REPLAY_TWICE = 0, False


@pytest.fixture
def base(world, monkeypatch):
    """Two people in each shard, one in each slice."""
    snapshot = world.snapshot(*PEOPLE)

    def fits(placement):
        sizes = [len(placement.records(shard)) for shard in range(2)]
        return sizes == [12, 12]

    spread(monkeypatch, snapshot, STEPS, wanted=fits)
    return world.train("base", snapshot, recipe_parameters=STEPS)
