"""A data set that is wide."""

from __future__ import annotations

import pytest

from lineage.models import OrdinalSpace
from lineage.services.importing import ensure_dataset
from tests.lineage.membership.histories import SIZE


@pytest.fixture
def wide():
    """A data set whose space has handed out many ordinals, without the records."""
    dataset = ensure_dataset(name="wide")
    OrdinalSpace.objects.filter(id=dataset.space_id).update(next_ordinal=SIZE)
    return ensure_dataset(name="wide")
