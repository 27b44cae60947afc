from __future__ import annotations

import numpy as np
import pytest
from scipy import special, stats

from audits.core.bounds import average_bounds, clopper_pearson_lower, guess_bounds
from audits.core.power import (
    average_error,
    average_power,
    correlation_of,
    guess_detects,
    guess_power,
)


@pytest.mark.parametrize(("models", "bound"), [(64, 0.15), (128, 0.106), (256, 0.074)])
def test_the_smallest_bound_is_that_of_an_even_split(models, bound):
    found = guess_power(models, 0.05)
    half = models // 2
    assert found.smallest_bound == pytest.approx(bound, abs=0.01)
    assert found.smallest_bound == float(guess_bounds(half, models, half, models, 0.05).upper)


def test_no_counts_get_a_smaller_bound():
    every = [
        float(guess_bounds(tp, 12, tn, 12, 0.05).upper) for tp in range(13) for tn in range(13)
    ]
    assert guess_power(12, 0.05).smallest_bound == min(every)


@pytest.mark.parametrize(("models", "margin"), [(12, 0.0), (28, 0.3)])
def test_the_detectable_advantage_is_detected_in_four_of_five_audits(models, margin):
    truth = guess_power(models, 0.05, margin).detectable
    assert truth is not None
    rng = np.random.default_rng(models)
    right = rng.binomial(models, (1 + truth) / 2, size=(2, 4000))
    lower = guess_bounds(right[0], models, right[1], models, 0.05).lower
    assert np.mean(lower > margin) == pytest.approx(0.8, abs=0.025)
    assert guess_detects(models, 0.05, truth - 0.02, margin) < 0.8


@pytest.mark.parametrize("models", [2, 6, 12, 124])
@pytest.mark.parametrize("margin", [0.0, 0.3])
def test_the_chance_to_detect_is_that_of_every_count_asked_by_itself(models, margin):
    counts = np.arange(2 * models + 1)
    shown = 2 * clopper_pearson_lower(counts, 2 * models, 0.025) - 1 > margin
    for truth in (0.0, 0.2, 0.5, 1.0):
        chances = stats.binom.pmf(counts, 2 * models, (1 + truth) / 2)
        expected = chances[shown].sum()
        assert guess_detects(models, 0.025, truth, margin) == pytest.approx(expected, abs=1e-9)


def test_the_detectable_average_has_the_tail_that_is_wanted():
    for models, records in ((2, 200), (12, 32), (124, 8)):
        found = average_power(models, 0.025, 0.1, records=records, correlation=0.01)
        assert found.detectable is not None
        free = 2 * (models - 1)
        away = (found.detectable - 0.1) / average_error(models, records, 0.01)
        reach = special.stdtrit(free, 0.975)
        assert stats.nct.sf(reach, free, away) == pytest.approx(0.8, abs=1e-9)


def test_too_few_models_detect_nothing():
    assert guess_power(2, 0.01, 0.3).detectable is None
    assert guess_detects(2, 0.01, 1.0, 0.3) == 0.0


def test_more_models_see_more():
    found = [guess_power(models, 0.05, 0.3) for models in (8, 16, 32, 64)]
    assert [one.smallest_bound for one in found] == sorted(
        (one.smallest_bound for one in found), reverse=True
    )
    detectable = [one.detectable or 2.0 for one in found]
    assert detectable == sorted(detectable, reverse=True)


def averages(rng, models, records, correlation, advantage):
    """Shares of right guesses, records correlated by a common coin."""
    chance = (1 + advantage) / 2
    shared = rng.random((models, 1)) < chance
    own = rng.random((models, records)) < chance
    copies = rng.random((models, records)) < np.sqrt(correlation)
    return np.where(copies, shared, own).mean(1)


def test_the_power_of_the_average_is_that_of_a_simulation():
    models, records, correlation, margin = 16, 32, 0.02, 0.1
    found = average_power(models, 0.05, margin, records=records, correlation=correlation)
    assert found.detectable is not None
    rng = np.random.default_rng(11)
    shown, uppers = [], []
    for _ in range(1500):
        arms = [averages(rng, models, records, correlation, found.detectable) for _ in "ab"]
        shown.append(average_bounds(arms[0], arms[1], alpha=0.05).lower > margin)
        nothing = [averages(rng, models, records, correlation, 0.0) for _ in "ab"]
        uppers.append(average_bounds(nothing[0], nothing[1], alpha=0.05).upper)
    assert np.mean(shown) == pytest.approx(0.8, abs=0.05)
    assert found.smallest_bound <= np.mean(uppers) <= found.smallest_bound + 0.05


def test_the_specification_s_table_of_averages():
    for records, correlation, models, bound in [(32, 0.01, 16, 0.061), (1000, 0.05, 32, 0.047)]:
        found = average_power(models, 0.05, 0.0, records=records, correlation=correlation)
        assert found.smallest_bound == pytest.approx(bound, abs=0.006)


def test_the_correlation_is_read_off_the_spread():
    rng = np.random.default_rng(2)
    arms = tuple(tuple(averages(rng, 4000, 50, 0.05, 0.0)) for _ in "ab")
    assert correlation_of(arms, 50) == pytest.approx(0.05, abs=0.01)
    assert correlation_of(((1.0, 0.0), (1.0, 1.0)), 1) == 0.0
    assert average_error(10, 4, 1.0) == average_error(10, 1, 0.0)
