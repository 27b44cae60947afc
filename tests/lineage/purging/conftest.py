"""A data set of several people."""

from __future__ import annotations

import pytest

from tests.lineage.builders import filled


@pytest.fixture
def dataset(now):
    """Nine records of three people; contents repeat after four, so people own equal bytes."""
    return filled("faces", 9, now, kinds=4)
