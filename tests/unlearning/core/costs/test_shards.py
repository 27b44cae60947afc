"""The closed forms of a sharded training agree with drawing requests, and with the notes."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unlearning.core.costs.drawing import drawn_fraction, mean_within
from unlearning.core.costs.checks import NotPossible
from unlearning.core.costs.shards import (
    batch_fraction,
    expected_fraction,
    redone_from,
    shard_fraction,
    stage_shares,
    touched_fraction,
)

TABLE = {  # S: K = 1, 5, 10, 50, 100, 1000; R = 10
    5: (0.140, 0.514, 0.742, 0.984, 0.997, 1),
    10: (0.070, 0.299, 0.500, 0.934, 0.984, 1),
    20: (0.035, 0.162, 0.295, 0.792, 0.933, 1.00),
    50: (0.014, 0.068, 0.131, 0.490, 0.722, 0.997),
    100: (0.007, 0.035, 0.068, 0.291, 0.489, 0.983),
    1000: (0.0007, 0.0035, 0.007, 0.034, 0.067, 0.488),
}


def binomial_sum(shards, slices, requests):
    """f(S, R, K) as it is defined: over how many requests fall in one shard."""
    each = 1 / shards
    return sum(
        math.comb(requests, k)
        * each**k
        * (1 - each) ** (requests - k)
        * (1 - sum(w * ((slices - i) / slices) ** k for i, w in enumerate(shares(slices), 1)))
        for k in range(1, requests + 1)
    )


def shares(slices):
    return [2 * i / (slices * (slices + 1)) for i in range(1, slices + 1)]


@pytest.mark.parametrize("shards", TABLE)
def test_a_batch_costs_what_the_table_says(shards):
    found = [batch_fraction(shards, 10, requests) for requests in (1, 5, 10, 50, 100, 1000)]
    assert found == pytest.approx(TABLE[shards], abs=6e-4)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 30), st.integers(1, 12), st.integers(0, 60))
def test_it_equals_the_sum_over_how_many_fall_in_a_shard(shards, slices, requests):
    assert batch_fraction(shards, slices, requests) == pytest.approx(
        binomial_sum(shards, slices, requests), abs=1e-12
    )


@pytest.mark.parametrize(
    ("shards", "slices", "requests"),
    [(5, 1, 1), (5, 5, 1), (20, 10, 1), (20, 10, 10), (20, 10, 50), (10, 5, 30)],
)
def test_it_equals_the_mean_of_drawn_batches(shards, slices, requests):
    def one(rng):
        places = rng.integers(shards, size=requests), rng.integers(slices, size=requests)
        return drawn_fraction(*places, shards, slices)

    assert mean_within(one, batch_fraction(shards, slices, requests))


@pytest.mark.parametrize("slices", [1, 2, 5, 10, 100])
def test_slicing_saves_at_most_a_third_of_one_request(slices):
    assert shard_fraction(slices, 1) == pytest.approx((2 * slices + 1) / (3 * slices))


def test_with_many_slices_it_tends_to_the_limit():
    for requests in (1, 3, 8):
        limit = 1 - 2 / ((requests + 1) * (requests + 2))
        assert shard_fraction(2000, requests) == pytest.approx(limit, abs=2e-3)


def test_shares_are_those_of_growing_stages():
    assert stage_shares(3).tolist() == pytest.approx([1 / 6, 2 / 6, 3 / 6])
    assert redone_from(3).tolist() == pytest.approx([1, 5 / 6, 3 / 6])


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 8).flatmap(
        lambda r: st.lists(st.none() | st.integers(0, r - 1), min_size=1).map(
            lambda firsts: (firsts, r)
        )
    )
)
def test_a_known_batch_costs_the_stages_that_it_makes_void(known):
    firsts, slices = known
    void = [
        share
        for first in firsts
        for i, share in enumerate(shares(slices))
        if first is not None and i >= first
    ]
    assert touched_fraction(firsts, slices) == pytest.approx(sum(void) / len(firsts))


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (
            lambda: batch_fraction(0, 5, 1),
            r"^shards is 0; it must be a whole number of at least 1",
        ),
        (lambda: batch_fraction(5, True, 1), r"^slices is True; it must be a whole number"),
        (lambda: batch_fraction(5, 5, -1), r"^requests is -1; it must be at least 0\.$"),
        (lambda: batch_fraction(5, 5, math.nan), r"^requests is nan; it must be at least 0"),
        (lambda: expected_fraction(np.array([[1.5]]), 1), r"^reach must be probabilities"),
        (lambda: expected_fraction(np.array([0.5]), 1), r"of shape \(shards, slices\)"),
        (lambda: touched_fraction([5], 5), r"^A first slice is 5; it must be between 0 and 4"),
        (lambda: touched_fraction([], 5), r"^shards is 0"),
    ],
)
def test_what_no_plan_can_have_is_named(call, sentence):
    with pytest.raises(NotPossible, match=sentence):
        call()
