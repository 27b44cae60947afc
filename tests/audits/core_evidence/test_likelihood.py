from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from audits.core.likelihood import (
    BURN_IN,
    PRIOR,
    TooFewModels,
    cross_fit,
    forward,
    instance_test,
)
from audits.core.policy import SMALLEST_LOOK


def deviations(sample):
    return [((column - column.mean()) ** 2).sum() for column in sample.T]


def slow_ratio(scores, inside, outside):
    """Log-likelihood ratios of one row of k scores, from the definition."""
    spare = len(inside) + len(outside) - 2
    pooled = (sum(deviations(inside)) + sum(deviations(outside))) / (spare * len(scores))
    found = []
    for i, score in enumerate(scores):
        densities = []
        for sample in (inside, outside):
            n, freedom = len(sample), PRIOR + len(sample) - 1
            variance = (PRIOR * pooled + deviations(sample)[i]) / freedom
            scale = np.sqrt(variance * (1 + 1 / n))
            densities.append(stats.t.logpdf(score, freedom, sample[:, i].mean(), scale))
        found.append(densities[0] - densities[1])
    return np.array(found)


def draw(seed=0, models=12, records=4):
    rng = np.random.default_rng(seed)
    member = rng.permutation(2 * models) < models
    scores = rng.normal(5, 2, (2 * models, records)) + member[:, None]
    return scores, member


def test_forward_equals_the_slow_loop():
    scores, member = draw()
    found = forward(scores, member)
    inside, outside = scores[member], scores[~member]
    for arm in (inside, outside):
        for turn, row in enumerate(arm):
            position = np.flatnonzero((scores == row).all(1))[0]
            if turn < BURN_IN:
                assert np.isnan(found[position]).all()
                continue
            expected = slow_ratio(row, inside[:turn], outside[:turn])
            assert found[position] == pytest.approx(expected)


def test_forward_with_members_by_record_uses_the_rows_above():
    scores, _ = draw(records=1)
    member = (np.arange(24) % 3 == 0)[:, None]
    found = forward(scores, member)[:, 0]
    for row in range(24):
        above = member[:row, 0]
        if min(above.sum(), (~above).sum()) < BURN_IN:
            assert np.isnan(found[row])
            continue
        past = scores[:row]
        expected = slow_ratio(scores[row], past[above], past[~above])
        assert found[row] == pytest.approx(expected[0])


@given(st.integers(0, 10_000), st.integers(6, 9), st.integers(1, 4))
@settings(max_examples=20, deadline=None)
def test_more_models_never_change_an_earlier_ratio(seed, models, more):
    first, second = draw(seed, models), draw(seed + 1, more)
    scores = np.vstack([first[0], second[0]])
    member = np.concatenate([first[1], second[1]])
    longer = forward(scores, member)[: 2 * models]
    np.testing.assert_allclose(longer, forward(*first), rtol=1e-7, atol=1e-9)


def test_cross_fit_equals_the_slow_loop_and_never_judges_in_sample():
    scores, member = draw(models=5)
    found = cross_fit(scores, member, seed=3, folds=10)
    for row in range(10):
        # With as many folds as models in an arm, one pair is held out at a time.
        matches = []
        for partner in np.flatnonzero(member != member[row]):
            kept = np.setdiff1d(np.arange(10), [row, partner])
            inside, outside = scores[kept][member[kept]], scores[kept][~member[kept]]
            expected = slow_ratio(scores[row], inside, outside)
            matches.append(np.allclose(expected, found[row]))
        assert sum(matches) == 1


def test_equal_seeds_give_equal_folds():
    scores, member = draw()
    first = cross_fit(scores, member, seed=1)
    assert (first == cross_fit(scores, member, seed=1)).all()
    assert (first != cross_fit(scores, member, seed=2)).any()


def test_perfect_unlearning_has_no_advantage_out_of_sample():
    rng = np.random.default_rng(7)
    member = np.arange(16) % 2 == 0
    out_of_sample, in_sample = [], []
    for _ in range(150):
        scores = rng.normal(size=(16, 32))
        ratios = forward(scores, member)
        judged = ~np.isnan(ratios[:, 0])
        right = (ratios > 0) == member[:, None]
        out_of_sample.append(2 * right[judged].mean() - 1)
        means = scores[member].mean(0), scores[~member].mean(0)
        nearer = abs(scores - means[0]) < abs(scores - means[1])
        in_sample.append(2 * (nearer == member[:, None]).mean() - 1)
    assert abs(np.mean(out_of_sample)) < 0.03
    assert np.mean(in_sample) > 0.15


def test_scores_that_do_not_vary_are_not_called_members():
    ratios = forward(np.full((12, 3), 7.0), np.arange(12) % 2 == 0)
    assert (ratios[8:] == 0).all()


@pytest.mark.parametrize("function", [forward, lambda s, m: cross_fit(s, m, seed=0)])
def test_it_refuses_to_fit_a_density_to_hardly_any_models(function):
    with pytest.raises(TooFewModels, match="An arm has 2 models"):
        function(np.zeros((4, 1)), np.array([True, False, True, False]))


def test_the_smallest_look_leaves_two_models_to_judge():
    assert SMALLEST_LOOK == BURN_IN + 2


def test_the_instance_test_refuses_hardly_any_models():
    with pytest.raises(TooFewModels):
        instance_test(np.zeros((1, 3)), np.zeros(3))
    with pytest.raises(TooFewModels):
        instance_test(np.zeros((9, 3)), np.zeros(3), learned=np.zeros((1, 3)))


@pytest.mark.parametrize("with_learned", [True, False])
def test_the_instance_test_equals_the_slow_loop(with_learned):
    rng = np.random.default_rng(2)
    never_seen, deployed = rng.normal(size=(9, 5)), rng.normal(size=5)
    learned = rng.normal(1, 1, (7, 5)) if with_learned else None
    found = instance_test(never_seen, deployed, learned=learned)
    everyone = np.vstack([never_seen, deployed])
    expected = []
    for row in range(10):
        others = np.delete(everyone, row, 0)
        if learned is not None:
            expected.append(slow_ratio(everyone[row], learned, others).sum())
            continue
        pooled = others.var(0, ddof=1).mean()
        variance = (PRIOR * pooled + 8 * others.var(0, ddof=1)) / (PRIOR + 8)
        expected.append(((everyone[row] - others.mean(0)) / np.sqrt(variance)).sum())
    assert [*found.never_seen, found.deployed] == pytest.approx(expected)


def test_the_instance_p_value_is_uniform_if_nothing_is_wrong_and_has_a_floor():
    rng = np.random.default_rng(11)
    p_values = []
    for _ in range(400):
        shared = rng.normal(size=(20, 1))  # records under one model move together
        scores = rng.normal(size=(20, 6)) + shared
        p_values.append(instance_test(scores[:-1], scores[-1]).p_value)
    assert np.mean(np.array(p_values) <= 0.05) <= 0.08
    assert stats.kstest(p_values, "uniform").statistic < 0.1
    assert min(p_values) == pytest.approx(1 / 20)


def test_the_instance_test_notices_a_model_that_was_never_unlearned():
    rng = np.random.default_rng(5)
    learned = rng.normal(1.2, 1, (32, 32))
    never_seen = rng.normal(size=(32, 32))
    test = instance_test(never_seen, rng.normal(1.2, 1, 32), learned=learned)
    assert test.p_value == pytest.approx(1 / 33)
