from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from audits.core.bounds import (
    UnusableArm,
    average_bounds,
    clopper_pearson_lower,
    clopper_pearson_upper,
    epsilon_ceiling,
    epsilon_lower_bound,
    gaussian_bound,
    guess_bounds,
    threshold_bounds,
)

ALPHA = 0.05


@pytest.mark.parametrize(("successes", "trials"), [(0, 8), (1, 8), (5, 8), (8, 8), (40, 200)])
def test_clopper_pearson_agrees_with_scipy(successes, trials):
    interval = stats.binomtest(successes, trials).proportion_ci(1 - 2 * ALPHA, "exact")
    assert clopper_pearson_lower(successes, trials, ALPHA) == pytest.approx(interval.low)
    assert clopper_pearson_upper(successes, trials, ALPHA) == pytest.approx(interval.high)


@pytest.mark.parametrize("n_out", [6, 9])
def test_guess_bounds_cover_every_truth_exactly(n_out):
    n_in = 6
    hits, rejections = np.meshgrid(np.arange(n_in + 1), np.arange(n_out + 1), indexing="ij")
    bounds = guess_bounds(hits, n_in, rejections, n_out, ALPHA)
    for tpr in (0.2, 0.5, 0.65, 0.9):
        for tnr in (0.5, 0.65, 0.99):
            chance = stats.binom.pmf(hits, n_in, tpr) * stats.binom.pmf(rejections, n_out, tnr)
            truth = tpr + tnr - 1
            assert chance[bounds.lower > truth].sum() <= ALPHA
            if truth >= 0:
                assert chance[bounds.upper < truth].sum() <= ALPHA


def test_pooling_the_arms_is_shorter_than_one_interval_each():
    assert guess_bounds(16, 32, 16, 32, ALPHA).upper == pytest.approx(0.218, abs=0.001)
    assert guess_bounds(16, 32, 17, 33, ALPHA).upper > 0.34


@given(st.integers(0, 12), st.integers(0, 12), st.sampled_from([12, 15]))
@settings(max_examples=30, deadline=None)
def test_a_negative_estimate_never_lowers_an_upper_bound(hits, rejections, n_out):
    bounds = guess_bounds(hits, 12, rejections, n_out, ALPHA)
    assert bounds.lower <= bounds.estimate <= bounds.upper
    assert bounds.upper > 0
    if n_out == 12:
        assert bounds.upper >= guess_bounds(6, 12, 6, 12, ALPHA).upper
    lucky = guess_bounds(hits, 12, min(rejections + 1, n_out), n_out, ALPHA)
    assert lucky.upper >= bounds.upper


def test_average_bounds_agree_with_welch():
    rng = np.random.default_rng(0)
    inside, outside = rng.normal(0.7, 0.05, 9), rng.normal(0.6, 0.1, 14)
    bounds = average_bounds(inside, outside, ALPHA)
    welch = stats.ttest_ind(inside, 1 - outside, equal_var=False).confidence_interval(0.9)
    assert (bounds.lower, bounds.upper) == pytest.approx((welch.low, welch.high))


def test_an_average_worse_than_chance_does_not_tighten_its_upper_bound():
    rng = np.random.default_rng(0)
    arm = rng.normal(0.5, 0.05, 16)
    chance = average_bounds(arm, 1 - arm, ALPHA)
    worse = average_bounds(arm - 0.2, 1 - arm, ALPHA)
    assert chance.estimate == pytest.approx(0)
    assert worse.upper == pytest.approx(chance.upper)
    assert worse.lower < chance.lower


def test_models_that_happen_to_agree_do_not_look_certain():
    arm = np.full(5, 0.5)
    assert average_bounds(arm, arm, ALPHA).upper == 0.0
    assert average_bounds(arm, arm, ALPHA, variance_floor=(0.25, 0.25)).upper > 0.4


def test_clustered_bounds_cover_where_pairs_of_record_and_model_do_not():
    """k = 1000 records, correlation 0.05, 16 models per arm."""
    rng = np.random.default_rng(1)
    covered, naive, runs, k = 0, 0, 400, 1000
    for _ in range(runs):
        # A share of right guesses: a shared shift per model, then k conditionally independent.
        shared = np.clip(0.5 + np.sqrt(0.25 * 0.05) * rng.normal(size=(2, 16)), 0, 1)
        shares = rng.binomial(k, shared) / k
        bounds = average_bounds(shares[0], shares[1], 0.025)
        covered += bounds.lower <= 0 <= 2 * bounds.estimate - bounds.lower
        error = np.sqrt(2 * 0.25 / (16 * k))
        naive += abs(shares.mean(1).sum() - 1) <= 1.96 * error
    assert covered / runs >= 0.93
    assert naive / runs < 0.4


def slow_threshold_bounds(inside, outside, alpha):
    estimates, uppers = [], []
    lowers: list[float] = [0.0]
    cuts = [*sorted(set(inside) | set(outside)), np.inf]
    for cut in cuts:
        for flip in (False, True):
            tp, fp = sum(inside >= cut), sum(outside >= cut)
            n1, n0 = len(inside), len(outside)
            if flip:
                tp, fp, n1, n0 = fp, tp, n0, n1
            each = alpha / (4 * len(cuts))
            estimates.append(tp / n1 - fp / n0)
            lower = clopper_pearson_lower(tp, n1, each) - clopper_pearson_upper(fp, n0, each)
            lowers.append(float(lower))
            uppers.append(
                clopper_pearson_upper(tp, n1, alpha / 2) - clopper_pearson_lower(fp, n0, alpha / 2)
            )
    return max(estimates), max(lowers), min(1.0, max(uppers))


@given(
    st.lists(st.integers(-5, 5), min_size=3, max_size=12),
    st.lists(st.integers(-3, 8), min_size=3, max_size=12),
)
@settings(max_examples=25, deadline=None)
def test_threshold_bounds_equal_the_slow_loop(inside, outside):
    arms = np.array(inside, float), np.array(outside, float)
    estimate, lower, upper = slow_threshold_bounds(*arms, ALPHA)
    bounds = threshold_bounds(*arms, ALPHA)
    assert bounds.estimate == pytest.approx(estimate)
    assert bounds.lower == pytest.approx(lower)
    assert bounds.upper == pytest.approx(upper)


def test_the_gaussian_bound_is_the_largest_shift_not_rejected():
    rng = np.random.default_rng(4)
    inside, outside = rng.normal(0.2, 1, 32), rng.normal(0, 1, 32)
    bound = gaussian_bound(inside, outside, ALPHA)
    pooled = np.sqrt((inside.var(ddof=1) + outside.var(ddof=1)) / 2)
    shift = 2 * stats.norm.ppf((1 + bound.upper) / 2) * pooled
    closer = inside + (shift if inside.mean() < outside.mean() else -shift)
    test = stats.ttest_ind(closer, outside, alternative="two-sided")
    assert bound.usable
    assert test.pvalue / 2 == pytest.approx(ALPHA)


@pytest.mark.parametrize(
    ("outside", "why"),
    [
        (np.linspace(-9, 9, 16), "variances"),
        (np.append(np.linspace(-0.5, 0.5, 15), 3.2), "Gaussian"),
        (np.linspace(-1, 1, 16) * 0, "variances"),
    ],
)
def test_the_gaussian_bound_says_why_it_is_not_usable(outside, why):
    inside = stats.norm.ppf(np.arange(1, 17) / 17)
    bound = gaussian_bound(inside, outside, ALPHA)
    assert not bound.usable
    assert why in bound.why


def test_scores_that_do_not_vary_prove_nothing():
    bound = gaussian_bound(np.zeros(8), np.zeros(8), ALPHA)
    assert (bound.upper, bound.why) == (1.0, "The scores do not vary.")


@pytest.mark.parametrize(
    ("models", "ceiling"),
    [(8, 0.53), (16, 1.35), (32, 2.10), (64, 2.82), (128, 3.53), (256, 4.23), (512, 4.93)],
)
def test_the_epsilon_ceiling_is_the_published_one(models, ceiling):
    assert epsilon_ceiling(models, ALPHA) == pytest.approx(ceiling, abs=0.005)


def test_epsilon_is_zero_for_a_coin_and_positive_in_either_direction():
    assert epsilon_lower_bound(50, 100, 50, 100, alpha=ALPHA) == 0.0
    hit = epsilon_lower_bound(99, 100, 60, 100, alpha=ALPHA)
    rejected = epsilon_lower_bound(60, 100, 99, 100, alpha=ALPHA)
    assert hit == pytest.approx(rejected)
    assert hit > 0.5


@pytest.mark.parametrize("arm", [np.array([]), np.array([0.5]), np.array([0.5, np.nan, 0.5])])
def test_it_refuses_an_arm_that_carries_no_bound(arm):
    with pytest.raises(UnusableArm):
        average_bounds(arm, np.array([0.5, 0.6]), ALPHA)
