from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score, roc_curve

from audits.core.roc import OneClassOnly, auc, log_band, log_roc, roc


@given(st.integers(0, 1000), st.sampled_from([3, 1000]))
@settings(max_examples=25, deadline=None)
def test_it_equals_sklearn_with_and_without_ties(seed, distinct):
    rng = np.random.default_rng(seed)
    scores = rng.integers(0, distinct, 40).astype(float)
    member = rng.permutation(40) < 15
    found = roc(scores, member)
    fpr, tpr, _ = roc_curve(member, scores, drop_intermediate=False)
    assert found.fpr == pytest.approx(fpr)
    assert found.tpr == pytest.approx(tpr)
    assert found.auc == pytest.approx(roc_auc_score(member, scores))


def test_a_rate_without_enough_negatives_is_not_reported():
    rng = np.random.default_rng(0)
    member = np.arange(600) < 300
    found = roc(rng.normal(size=600) + member, member)
    assert found.tpr_at(0.009) is None
    assert found.tpr_at(0.01) == max(found.tpr[found.fpr <= 0.01])
    assert found.tpr_at(0.1) == pytest.approx(0.4, abs=0.15)


def test_a_log_plot_counts_models_as_negatives_and_drops_zeros():
    rng = np.random.default_rng(0)
    member = np.arange(40) % 2 == 0
    found = log_roc(rng.normal(size=(40, 500)) + member[:, None], member)
    assert found.negatives == 20
    assert found.tpr_at(0.01) is None
    assert (found.fpr > 0).all()
    assert (found.tpr > 0).all()
    assert found.auc == pytest.approx(0.76, abs=0.02)


def ratios_of(seed, models=32, records=1, shift=1.0):
    rng = np.random.default_rng(seed)
    member = np.arange(models) % 2 == 0
    shared = rng.normal(size=(models, 1))  # what moves all records of a model together
    return rng.normal(size=(models, records)) + shared + shift * member[:, None], member


def test_a_band_equals_a_bootstrap_of_whole_models_made_the_slow_way(monkeypatch):
    monkeypatch.setattr("audits.core.roc.RESAMPLES", 3)
    ratios, member = ratios_of(0, records=4)
    band = log_band(ratios, member, seed=7)
    rng, curves = np.random.default_rng(7), []
    for _ in range(3):
        chosen = []
        for arm in (member, ~member):
            size = int(arm.sum())
            counts = rng.multinomial(size, np.full(size, 1 / size))
            chosen += list(np.repeat(np.flatnonzero(arm), counts))
        learned = np.repeat(member[chosen], 4)
        drawn = roc(ratios[chosen].ravel(), learned)
        curves.append([drawn.tpr[drawn.fpr <= rate].max() for rate in band.fpr])
    assert band.low == pytest.approx(np.quantile(curves, 0.025, axis=0))
    assert band.high == pytest.approx(np.quantile(curves, 0.975, axis=0))


def test_a_band_is_wider_with_fewer_models_however_many_records_there_are():
    few, many = ratios_of(1, models=12, records=400), ratios_of(1, models=200, records=24)
    widths = [
        float(np.mean(one.high - one.low))
        for one in (log_band(*few, seed=0), log_band(*many, seed=0))
    ]
    assert widths[0] > 1.5 * widths[1]


@pytest.mark.parametrize("member", [np.ones(3, bool), np.zeros(3, bool)])
@pytest.mark.parametrize("function", [auc, roc])
def test_it_refuses_a_single_class(function, member):
    with pytest.raises(OneClassOnly, match="non-members"):
        function(np.arange(3.0), member)
