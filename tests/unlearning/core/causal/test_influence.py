"""Influence is what leaving a record out really does, to first order."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from torch.nn.functional import cross_entropy

from unlearning.core.causal import influence

CLASSES = 3


def tiny(seed=0, records=60, width=4):
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, CLASSES, records)
    centres = generator.normal(size=(CLASSES, width))
    return centres[labels] + generator.normal(size=(records, width)), labels


def losses(features, labels, weights):
    given = influence.probabilities(influence.with_bias(features), weights)
    return -np.log(given[np.arange(len(labels)), labels])


def test_a_score_is_how_much_the_seeds_lose_when_the_record_is_left_out():
    features, labels = tiny(records=150)
    seeds = np.array([3, 11, 29])
    head = influence.fitted(features, labels, CLASSES)
    predicted = influence.support(head, seeds) / len(labels)
    before = losses(features[seeds], labels[seeds], head.weights).mean()
    actual = []
    for left_out in range(len(labels)):
        kept = np.arange(len(labels)) != left_out
        again = influence.fitted(features[kept], labels[kept], CLASSES)
        # Without the record the mean is over one fewer; the penalty stays as it was.
        actual.append(losses(features[seeds], labels[seeds], again.weights).mean() - before)
    assert np.corrcoef(predicted, actual)[0, 1] > 0.99
    assert 0.8 < np.polyfit(predicted, actual, 1)[0] < 1.3


def test_the_head_is_the_optimum_that_scikit_learn_finds():
    features, labels = tiny()
    other = LogisticRegression(
        C=1 / (influence.L2 * len(labels)), fit_intercept=False, tol=1e-10, max_iter=5000
    ).fit(influence.with_bias(features), labels)
    ours = influence.fitted(features, labels, CLASSES).weights
    assert np.allclose(ours.T, other.coef_, atol=1e-4)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**16))
def test_supports_are_those_of_gradients_and_hessian_by_autograd(seed):
    features, labels = tiny(seed, records=20, width=2)
    head = influence.fitted(features, labels, CLASSES)
    inputs = torch.from_numpy(influence.with_bias(features))
    targets = torch.from_numpy(labels)

    def loss(flat, rows=slice(None)):
        outputs = inputs[rows] @ flat.view(head.weights.shape)
        return cross_entropy(outputs, targets[rows])

    at = torch.from_numpy(head.weights.ravel())
    hessian = torch.autograd.functional.hessian(loss, at) + influence.L2 * torch.eye(len(at))
    slopes = torch.autograd.functional.jacobian(
        lambda flat: torch.stack([loss(flat, slice(row, row + 1)) for row in range(len(labels))]),
        at,
    )
    expected = slopes @ torch.linalg.solve(hessian, slopes.T)
    assert np.allclose(head.whitened @ head.whitened.T, expected.numpy(), atol=1e-6)
