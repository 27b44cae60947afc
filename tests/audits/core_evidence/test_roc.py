from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score, roc_curve

from audits.core.roc import OneClassOnly, auc, log_roc, roc


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


@pytest.mark.parametrize("member", [np.ones(3, bool), np.zeros(3, bool)])
@pytest.mark.parametrize("function", [auc, roc])
def test_it_refuses_a_single_class(function, member):
    with pytest.raises(OneClassOnly, match="non-members"):
        function(np.arange(3.0), member)
