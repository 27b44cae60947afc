"""A base that learned from eight people, and its child."""

from __future__ import annotations

import pytest

from tests.audits.world import ADA, BERT, CLEO, DORA


@pytest.fixture
def base(world):
    """A version that learned from Ada and others."""
    return world.train("base", world.snapshot(ADA, BERT, CLEO, DORA))


@pytest.fixture
def family(world, base):
    """The same, a child that learned from her through it, and one that did not."""
    child = world.train("child", world.snapshot(BERT, CLEO, DORA), base)
    other = world.train("other", world.snapshot(BERT, CLEO))
    return base, child, other
