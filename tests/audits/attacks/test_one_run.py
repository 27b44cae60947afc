from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from audits.attacks.one_run import OneRun, epsilon_refuted, p_value
from audits.core.attack import NothingToAttackWith, PlantedScores
from audits.core.bounds import clopper_pearson_lower
from audits.core.shadow_scores import ScoresRefused

CANARIES = 200


def responses(rng, epsilon, delta=0.0, canaries=CANARIES):
    """Randomised response, which is (epsilon, delta)-private and as revealing as that allows."""
    included = rng.random(canaries) < 0.5
    told = rng.random(canaries) < 1 / (1 + np.exp(-epsilon))
    told |= rng.random(canaries) < delta
    return np.where(told, included, ~included) + 0.01 * rng.random(canaries), included


@pytest.mark.parametrize("epsilon", [0.0, 0.5, 2.0])
def test_the_bound_exceeds_the_true_epsilon_no_more_often_than_alpha(epsilon):
    rng = np.random.default_rng(int(epsilon * 10))
    attack = OneRun(accepted=epsilon)
    found = []
    for _ in range(400):
        scores, included = responses(rng, epsilon)
        found.append(attack.examine(PlantedScores(after=scores, included=included)))
    too_high = np.mean([one.statistic > epsilon for one in found])
    assert too_high <= 0.05
    assert np.mean([one.p_value <= 0.05 for one in found]) == too_high


def test_the_best_of_many_shares_without_correction_would_exceed_it_more_often():
    rng = np.random.default_rng(0)
    shares = tuple(np.linspace(0.02, 1, 25))
    naive = OneRun(shares=shares, alpha=0.05 * 2 * len(shares))
    honest = OneRun(shares=shares)
    found = []
    for _ in range(150):
        scores, included = responses(rng, 0.0)
        planted = PlantedScores(after=scores, included=included)
        found.append([attack.examine(planted).statistic > 0 for attack in (naive, honest)])
    naive_rate, honest_rate = np.mean(found, axis=0)
    assert naive_rate > 0.2
    assert honest_rate <= 0.05


def test_the_bound_finds_most_of_what_a_leaking_mechanism_leaks():
    rng = np.random.default_rng(1)
    scores, included = responses(rng, 3.0)
    found = OneRun().examine(PlantedScores(after=scores, before=scores, included=included))
    assert 2.0 < found.statistic < 3.5
    assert found.p_value == found.control
    assert found.p_value < 1e-10
    assert found.canaries == CANARIES
    upside_down = OneRun().examine(PlantedScores(after=-scores, included=included))
    assert upside_down.statistic == found.statistic


@pytest.mark.parametrize("mechanism", ["each canary by itself", "all canaries at once"])
def test_delta_is_paid_for(mechanism):
    """Right guesses of a mechanism that with probability delta tells the truth."""
    rng = np.random.default_rng(2)
    canaries, epsilon, delta, runs = 400, 1.0, 0.05, 4000
    chance = 1 / (1 + np.exp(-epsilon))
    plain = rng.binomial(canaries, chance, runs)
    told = rng.binomial(canaries, delta, runs)
    right = np.where(rng.random(runs) < delta, canaries, plain)
    if mechanism == "each canary by itself":
        right = told + rng.binomial(canaries - told, chance)
    paid, unpaid = (
        np.mean([p_value(canaries, canaries, int(v), epsilon, d) <= 0.05 for v in right])
        for d in (delta, 0.0)
    )
    assert paid <= 0.05
    assert unpaid > 0.07


def test_the_p_value_is_the_sum_that_the_docstring_states():
    for right in (0, 1, 7, 12):
        w = stats.binom(12, 1 / (1 + np.exp(-0.7)))
        slices = [w.cdf(right - 1) - w.cdf(right - i - 1) for i in range(1, right + 1)]
        reach = max((part / (i + 1) for i, part in enumerate(slices)), default=0.0)
        expected = min(1.0, w.sf(right - 1) + 2 * 30 * 0.01 * reach)
        assert p_value(30, 12, right, 0.7, 0.01) == pytest.approx(expected)


def test_without_delta_the_bound_is_clopper_and_pearsons():
    for guesses, right in ((10, 9), (50, 41), (200, 200)):
        share = clopper_pearson_lower(right, guesses, 0.05)
        expected = np.log(share / (1 - share))
        assert epsilon_refuted(1000, guesses, right, 0.0, 0.05) == pytest.approx(expected)
    assert epsilon_refuted(1000, 50, 25, 0.0, 0.05) == 0.0


def test_more_delta_refutes_less():
    bounds = [epsilon_refuted(100, 100, 95, delta, 0.05) for delta in (0.0, 1e-4, 1e-3, 1e-2)]
    assert bounds == sorted(bounds, reverse=True)
    assert bounds[0] > bounds[-1]


def test_right_guesses_of_all_refute_as_much_as_the_docstring_says():
    expected = -np.log(0.05 ** (-1 / 20) - 1)
    assert epsilon_refuted(20, 20, 20, 0.0, 0.05) == pytest.approx(expected)


def test_equal_scores_are_guessed_by_position_and_the_unscored_not_at_all():
    rng = np.random.default_rng(3)
    included = rng.random(40) < 0.5
    flat = OneRun().examine(PlantedScores(after=np.zeros(40), included=included))
    assert flat.statistic < 1
    scores = np.where(included, 1.0, 0.0)
    scores[:10] = np.nan
    found = OneRun(shares=(1.0,)).examine(PlantedScores(after=scores, included=included))
    assert found.canaries == 30
    scores[2:] = np.nan
    with pytest.raises(NothingToAttackWith, match="scores of two canaries or more"):
        OneRun().examine(PlantedScores(after=scores, included=included))


def test_scores_and_coins_that_do_not_fit_are_refused():
    with pytest.raises(NothingToAttackWith, match="needs the coins"):
        OneRun().examine(PlantedScores(after=np.zeros(4)))
    with pytest.raises(ScoresRefused, match=r"included has shape \(3,\) and after \(4,\)"):
        PlantedScores(after=np.zeros(4), included=np.zeros(3, bool))
