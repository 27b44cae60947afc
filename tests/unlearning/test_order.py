"""The order of training is a keyed bijection, and a hole moves nothing else."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unlearning.core.order import Plan, Remainder, permutation, permutations, places
from unlearning.core.seeding import derive

MASK = 2**64 - 1


def slow_permutation(size: int, key: int) -> list[int]:
    """The same cipher in Python's own integers, one value at a time."""
    bits = max(2, (size - 1).bit_length())
    half = (bits + 1) // 2
    low = (1 << half) - 1
    keys = [derive(key, "round", number) for number in range(6)]

    def mixed(value: int) -> int:
        value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9 & MASK
        value = (value ^ value >> 27) * 0x94D049BB133111EB & MASK
        return value ^ value >> 31

    def enciphered(value: int) -> int:
        left, right = value >> half, value & low
        for each in keys:
            left, right = right, left ^ mixed(right ^ each) & low
        return left << half | right

    def walked(value: int) -> int:
        value = enciphered(value)
        return value if value < size else walked(value)

    return [walked(value) for value in range(size)]


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 300), st.integers(0, 2**63 - 1))
def test_it_is_a_bijection_and_equals_the_slow_one(size, key):
    order = permutation(size, key).tolist()
    assert sorted(order) == list(range(size))
    assert order == slow_permutation(size, key)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 200), st.lists(st.integers(0, 2**63 - 1), min_size=1, max_size=5))
def test_many_keys_draw_in_one_go_what_each_draws_by_itself(size, keys):
    found = permutations(size, keys)
    assert found.shape == (len(keys), size)
    assert all((row == permutation(size, key)).all() for row, key in zip(found, keys, strict=True))


def test_it_is_the_same_on_every_machine_and_for_ever():
    assert permutation(10, 1).tolist() == [9, 7, 0, 6, 1, 3, 8, 4, 2, 5]
    assert permutation(0, 1).tolist() == []


def test_another_key_gives_another_order():
    assert permutation(1000, 1).tolist() != permutation(1000, 2).tolist()


def test_every_record_is_as_likely_in_every_place():
    places = np.array([permutation(8, key) for key in range(1000)])
    for place in range(8):
        counts = np.bincount(places[:, place], minlength=8)
        # Binomial(1000, 1/8): five standard deviations either way.
        assert abs(counts - 125).max() < 5 * (1000 * 1 / 8 * 7 / 8) ** 0.5


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 60), st.integers(1, 20), st.integers(1, 3), st.integers(0, 99))
def test_an_epoch_visits_every_record_once_and_drops_none(size, batch_size, epochs, seed):
    plan = Plan(size=size, batch_size=batch_size, epochs=epochs, seed=seed)
    visits = Counter(record for batch in plan for record in batch)
    assert visits == dict.fromkeys(range(size), epochs)
    assert len(list(plan)) == plan.steps
    assert all(len(batch) <= batch_size for batch in plan)
    assert all(plan.visits(record) == epochs for record in range(size))


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 60), st.integers(1, 20), st.frozensets(st.integers(0, 59)), st.integers(0, 9)
)
def test_a_hole_empties_its_place_and_moves_nothing(size, batch_size, holes, seed):
    whole = Plan(size=size, batch_size=batch_size, epochs=2, seed=seed)
    holed = Plan(size=size, batch_size=batch_size, epochs=2, seed=seed, holes=holes)
    assert list(holed) == [[each for each in batch if each not in holes] for batch in whole]
    assert holed.steps == whole.steps


def test_epochs_differ():
    plan = Plan(size=100, batch_size=100, epochs=2, seed=0)
    first, second = plan
    assert first != second


@pytest.mark.parametrize(("size", "steps"), [(0, 0), (1, 2), (8, 2), (9, 4)])
def test_it_counts_its_steps(size, steps):
    assert Plan(size=size, batch_size=8, epochs=2, seed=0).steps == steps


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 300), st.integers(0, 2**63 - 1))
def test_a_record_is_found_without_drawing_the_order(size, key):
    order = permutation(size, key)
    assert order[places(range(size), size, key)].tolist() == list(range(size))


def test_a_record_is_found_in_an_order_too_long_to_draw():
    (place,) = places([3_141_592_653], 10**12, key=5)
    assert 0 <= place < 10**12
    assert places([], 10**12, key=5).tolist() == []


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 60),
    st.integers(1, 20),
    st.frozensets(st.integers(0, 59)),
    st.frozensets(st.integers(0, 59)),
    st.integers(0, 9),
)
def test_the_first_use_is_that_of_a_scan(size, batch_size, sought, holes, seed):
    plan = Plan(size=size, batch_size=batch_size, epochs=2, seed=seed, holes=holes)
    uses = [step for step, batch in enumerate(plan) if sought.intersection(batch)]
    assert plan.first_use(sought) == min(uses, default=plan.steps)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 40), st.integers(1, 20), st.integers(0, 99))
def test_the_rest_of_a_plan_is_its_end(size, batch_size, after):
    plan = Plan(size=size, batch_size=batch_size, epochs=3, seed=1)
    rest = Remainder(plan=plan, first=after)
    assert list(rest) == list(plan)[after:]
    assert list(rest) == list(rest)
