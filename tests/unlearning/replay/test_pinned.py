"""An erased record keeps its number and loses everything else."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.data import Subset

from tests.unlearning.replay.pairs import RECORDS, SIZE, without
from unlearning.core.examples import Held, count
from unlearning.core.order import Plan
from unlearning.core.replay.pinned import HoleRead, Pinned, WrongSize

PLAN = Plan(size=SIZE, batch_size=8, epochs=2, seed=3)


@settings(max_examples=30, deadline=None)
@given(st.frozensets(st.integers(0, SIZE - 1)), st.integers(0, PLAN.steps))
def test_a_step_visits_what_is_left_of_its_batch(holes, first):
    visited = list(without(*holes).visits(PLAN, first))
    for batch, numbers in zip(visited, list(PLAN)[first:], strict=True):
        left = [number for number in numbers if number not in holes]
        if batch is None:
            assert left == []
        else:
            assert torch.equal(batch[0], RECORDS.tensors[0][left])
            assert torch.equal(batch[1], RECORDS.tensors[1][left])


def test_a_set_too_large_for_memory_is_visited_alike():
    holes = (3, 40)
    kept = Subset(RECORDS, [number for number in range(SIZE) if number not in holes])
    large = Pinned(Held(kept, limit=10), size=SIZE, holes=holes)
    for one, other in zip(large.visits(PLAN, 5), without(*holes).visits(PLAN, 5), strict=True):
        assert one is not None
        assert other is not None
        assert torch.equal(one[0], other[0])


def test_a_hole_is_not_read():
    source = without(3)
    assert count(source) == SIZE
    assert torch.equal(source[4][0], RECORDS[4][0])
    assert len(source.all()[0]) == SIZE - 1
    with pytest.raises(HoleRead, match=r"^Record 3 of 90 is erased; only its number is left\.$"):
        source[3]


def test_it_knows_whether_it_was_read_otherwise_than_by_steps():
    source = without(3)
    list(source.visits(PLAN))
    assert source.retained()[0][0].shape == (1, 8, 8)
    assert not source.looked
    for look in (lambda: source[0], source.all, lambda: list(source.batches([[0]]))):
        source.looked = False
        look()
        assert source.looked


@pytest.mark.parametrize("holes", [(), (1, 2), (SIZE,), (-1,)])
def test_retained_records_and_holes_must_be_all_numbers(holes):
    kept = Subset(RECORDS, range(SIZE - 1))
    with pytest.raises(WrongSize, match=r"^There are 89 retained records and"):
        Pinned(kept, size=SIZE, holes=holes)
