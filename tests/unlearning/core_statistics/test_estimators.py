"""The estimators keep scikit-learn's contract, and forget as the models do."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.model_selection import cross_val_score
from sklearn.utils.estimator_checks import check_estimator

from unlearning.core.statistics.counters import NeverAdded
from unlearning.core.statistics.estimators import (
    ForgettingGaussianNB,
    ForgettingMultinomialNB,
    ForgettingNeighbours,
    ForgettingRidge,
    ForgettingRidgeClassifier,
)
from unlearning.core.statistics.model import RowsDoNotFit
from unlearning.core.statistics.state import OperationReused

ESTIMATORS = [
    ForgettingGaussianNB(),
    ForgettingMultinomialNB(),
    ForgettingNeighbours(),
    ForgettingRidgeClassifier(),
    ForgettingRidge(),
]
every_estimator = pytest.mark.parametrize("estimator", ESTIMATORS, ids=repr)
X, Y = load_iris(return_X_y=True)


@every_estimator
def test_it_keeps_the_contract_of_scikit_learn(estimator):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results = check_estimator(estimator, on_skip=None)  # raises at the first that fails
    skipped = {each["check_name"] for each in results if each["status"] != "passed"}
    assert skipped <= {"check_array_api_input"}  # runs only where SciPy was told to
    assert len(results) > 50


@every_estimator
def test_forgetting_equals_fitting_the_others(estimator):
    estimator.fit(X, Y).forget(X[::7], Y[::7])
    kept = np.arange(len(X)) % 7 != 0
    again = type(estimator)().fit(X[kept], Y[kept])
    assert estimator.state_.to_bytes() == again.state_.to_bytes()
    assert np.array_equal(estimator.predict(X), again.predict(X))


@every_estimator
def test_fitting_again_forgets_everything_before(estimator):
    more = {"classes": [0, 1, 2]} if hasattr(estimator, "predict_proba") else {}
    estimator.fit(X[:100], Y[:100]).fit(X, Y)
    parts = type(estimator)().partial_fit(X[:9], Y[:9], **more) if more else estimator
    if more:
        parts.partial_fit(X[9:], Y[9:])
    assert estimator.state_.to_bytes() == parts.state_.to_bytes()


def test_it_predicts_well_enough():
    for estimator in ESTIMATORS:
        floor = 0.9 if isinstance(estimator, ForgettingRidge) else 0.75
        order = np.random.default_rng(0).permutation(len(X))
        assert cross_val_score(estimator, X[order], Y[order]).mean() > floor


def test_an_operation_is_carried_out_once():
    estimator = ForgettingGaussianNB().fit(X, Y)
    once = estimator.forget(X[:5], Y[:5], operation="case 1").state_.to_bytes()
    assert estimator.forget(X[:5], Y[:5], operation="case 1").state_.to_bytes() == once
    with pytest.raises(OperationReused):
        estimator.forget(X[:6], Y[:6], operation="case 1")
    assert estimator.forget(X[:5], Y[:5]).state_.to_bytes() != once


def test_what_was_never_added_is_refused_and_changes_nothing():
    estimator = ForgettingNeighbours().fit(X, Y)
    before = estimator.state_.to_bytes()
    with pytest.raises(NeverAdded):
        estimator.forget(X[:1] + 1, Y[:1])
    with pytest.raises(RowsDoNotFit, match=r"The class .*7.* is not one of .*: 0, 1, 2\."):
        estimator.forget(X[:1], [7])
    assert estimator.state_.to_bytes() == before


def test_the_first_part_needs_the_classes():
    with pytest.raises(ValueError, match="first call of partial_fit needs classes"):
        ForgettingGaussianNB().partial_fit(X, Y)
