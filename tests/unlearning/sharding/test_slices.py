"""Later slices are first seen later, and the visits are those that were promised."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unlearning.replay.pairs import records
from unlearning.core.order import Plan
from unlearning.core.sharding.slices import (
    Sliced,
    TooManySlices,
    left,
    stage_epochs,
    stage_visits,
)


@given(st.integers(1, 12), st.integers(1, 60))
def test_every_slice_is_seen_and_the_work_is_that_without_slices(slices, epochs):
    if slices > 2 * epochs - 1:
        with pytest.raises(TooManySlices, match=rf"use at most {2 * epochs - 1} slices"):
            stage_epochs(slices, epochs)
        return
    found = stage_epochs(slices, epochs)
    assert len(found) == slices
    assert min(found) >= 1
    visits = sum(stage_visits([at + 1 for at in range(slices)], found))
    # Each of the R edges is rounded by at most half an epoch over at most R slices.
    assert abs(visits - epochs * slices) <= slices * slices / 2


def test_one_slice_is_the_plain_schedule():
    assert stage_epochs(1, 7) == (7,)
    assert stage_epochs(5, 24) == (8, 8, 8, 8, 8)


SHAPES = st.tuples(
    st.lists(st.integers(1, 9), min_size=1, max_size=4), st.integers(2, 6), st.integers(1, 5)
)


def sliced_plan(sizes, epochs, batch_size) -> tuple[Plan, tuple[int, ...]]:
    bounds = tuple(sum(sizes[: at + 1]) for at in range(len(sizes)))
    source = Sliced(records(bounds[-1]), bounds=bounds)
    plan = Plan(size=bounds[-1], batch_size=batch_size, epochs=max(epochs, 3), seed=5)
    return source.arranged(plan), bounds


@settings(max_examples=60, deadline=None)
@given(SHAPES)
def test_no_record_is_seen_before_its_slice_and_a_state_before_it_is_clean(shape):
    plan, bounds = sliced_plan(*shape)
    begins = (0, *plan.milestones)
    batches = list(plan)
    assert len(batches) == plan.steps
    for at, begin in enumerate(begins):
        before = bounds[at - 1] if at else 0
        seen = {record for batch in batches[:begin] for record in batch}
        assert all(record < before for record in seen)
        own = range(before, bounds[at])
        uses = [step for step, batch in enumerate(batches) if set(own).intersection(batch)]
        assert plan.first_use(own) == uses[0] >= begin
        assert list(plan.after(begin)) == batches[begin:]


@settings(max_examples=60, deadline=None)
@given(SHAPES)
def test_the_first_use_of_each_record_is_that_of_a_scan(shape):
    plan, bounds = sliced_plan(*shape)
    batches = list(plan)
    for record in range(bounds[-1]):
        first = next(step for step, batch in enumerate(batches) if record in batch)
        assert plan.first_use([record]) == first
        assert plan.visits(record) == sum(record in batch for batch in batches)


def test_what_is_left_is_counted_without_the_holes():
    assert left((3, 5, 9), [0, 4, 4 + 1]) == (2, 3, 6)
    assert stage_visits((2, 3, 6), (4, 3, 2)) == (8, 9, 12)


def test_a_plan_over_something_else_is_left_alone():
    plan = Plan(size=4, batch_size=2, epochs=3, seed=0)
    assert Sliced(records(9), bounds=(3, 9)).arranged(plan) == plan


def test_what_is_fitted_beforehand_sees_the_first_slice_that_has_a_record_left():
    whole = records(9)
    assert len(Sliced(whole, bounds=(3, 5, 9)).retained()) == 3
    holes = [0, 1, 2, 3]
    rest = records(5)
    assert len(Sliced(rest, bounds=(3, 5, 9), holes=holes).retained()) == 1
