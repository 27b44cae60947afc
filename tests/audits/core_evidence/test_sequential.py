from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audits.core.bounds import UnusableArm
from audits.core.sequential import STAKES, p_above, path, sequence_bounds

ALPHA = 0.05
guesses = st.lists(st.floats(0, 1), min_size=1, max_size=12)


def coins(rng, models, inside, outside):
    arms = rng.random(models) < inside, rng.random(models) < outside
    return arms[0].astype(float), arms[1].astype(float)


def walked(arms):
    return path(arms[0], arms[1], 0.3)


def by_hand(pairs, chance, sign):
    """The mixture as it is written down, multiplied out."""
    scale = chance if sign > 0 else 1 - chance
    wealth = [
        np.prod([1 + stake * sign * (c - chance) / scale for pair in pairs for c in pair])
        for stake in STAKES
    ]
    return float(np.log(np.mean(wealth)))


def lifted(pairs):
    """The most wrong guesses made right, one after the other, until a coin would do as well."""
    values = [c for pair in pairs for c in pair]
    for place in sorted(range(len(values)), key=lambda place: values[place]):
        missing = len(values) / 2 - sum(values)
        values[place] += max(0.0, min(1 - values[place], missing))
    return list(zip(values[::2], values[1::2], strict=True))


@given(guesses, guesses, st.floats(0.05, 0.9))
@settings(max_examples=40, deadline=None)
def test_the_path_is_the_mixture_that_is_written_down(inside, outside, margin):
    size = min(len(inside), len(outside))
    pairs = list(zip(inside, outside, strict=False))
    found = path(np.array(inside), np.array(outside), margin)
    assert len(found.against_leak) == len(found.against_margin) == size
    chance = (1 + margin) / 2
    assert found.against_margin[-1] == pytest.approx(by_hand(pairs, chance, 1), abs=1e-9)
    assert found.against_leak[-1] == pytest.approx(by_hand(lifted(pairs), chance, -1), abs=1e-9)
    assert found.against_leak[-1] <= by_hand(pairs, chance, -1) + 1e-9


@given(guesses, guesses)
@settings(max_examples=25, deadline=None)
def test_the_bounds_are_where_the_bets_are_won(inside, outside):
    arms = np.array(inside), np.array(outside)
    found = sequence_bounds(arms[0], arms[1], alpha=ALPHA)
    assert -1 <= found.lower <= found.upper <= 1
    if found.upper < 1:
        assert max(path(arms[0], arms[1], margin=found.upper).against_leak) >= -np.log(ALPHA)
    if found.lower > 0.01:
        assert p_above(arms[0], arms[1], margin=found.lower) <= ALPHA
        assert p_above(arms[0], arms[1], margin=min(found.lower + 0.01, 0.999)) > ALPHA


def test_later_pairs_never_take_back_what_was_excluded():
    rng = np.random.default_rng(0)
    inside, outside = coins(rng, 60, 0.6, 0.6)
    found = [sequence_bounds(inside[:n], outside[:n], ALPHA) for n in range(1, 61)]
    assert np.all(np.diff([one.upper for one in found]) <= 1e-5)
    assert np.all(np.diff([one.lower for one in found]) >= -1e-5)


# The attack may be better in one arm: what counts is the mean of both.
@pytest.mark.parametrize(("inside", "outside"), [(0.65, 0.65), (0.95, 0.35), (0.35, 0.95)])
def test_somebody_who_looks_after_every_pair_is_hardly_ever_misled(inside, outside):
    rng = np.random.default_rng(1)
    runs = [walked(coins(rng, 60, inside, outside)) for _ in range(400)]
    needed = -np.log(ALPHA)
    assert np.mean([max(one.against_leak) >= needed for one in runs]) <= ALPHA
    assert np.mean([max(one.against_margin) >= needed for one in runs]) <= ALPHA


def stopping_times(runs, name):
    needed = -np.log(ALPHA)
    won = [np.array(getattr(one, name)) >= needed for one in runs]
    return [int(np.argmax(each)) + 1 for each in won if each.any()]


def test_what_leaks_nothing_is_cleared_and_what_leaks_all_fails_at_once():
    rng = np.random.default_rng(2)
    clean = stopping_times([walked(coins(rng, 130, 0.5, 0.5)) for _ in range(60)], "against_leak")
    assert len(clean) >= 0.9 * 60
    leaks = stopping_times([walked(coins(rng, 20, 1.0, 1.0)) for _ in range(3)], "against_margin")
    assert len(leaks) == 3
    assert max(leaks) <= 8


def test_guesses_that_are_worse_than_a_coin_s_help_no_upper_bound():
    wrong, right = np.zeros(80), np.ones(80)
    even = sequence_bounds(right, wrong, ALPHA).upper
    assert sequence_bounds(wrong, wrong, ALPHA).upper == pytest.approx(even, abs=0.02)


def test_what_was_lost_before_has_to_be_won_first():
    rng = np.random.default_rng(4)
    arms = coins(rng, 80, 0.5, 0.5)
    plain = sequence_bounds(arms[0], arms[1], alpha=ALPHA)
    dearer = sequence_bounds(arms[0], arms[1], alpha=ALPHA, alpha_upper=ALPHA / 10)
    assert dearer.upper > plain.upper
    assert dearer.lower == plain.lower


@pytest.mark.parametrize("arms", [([], [1.0]), ([1.5], [0.0]), ([float("nan")], [0.0])])
def test_what_is_no_guess_is_refused(arms):
    with pytest.raises(UnusableArm, match="guesses between 0 and 1"):
        path(np.array(arms[0]), np.array(arms[1]), 0.3)
