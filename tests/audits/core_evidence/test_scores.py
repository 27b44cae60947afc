from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.utils.data import TensorDataset

from audits.core.features import Outputs, OutputsRefused
from audits.core.scores import margin, negative_squared_error, outputs_of, scores_of

LABELS = np.array([0, 1, 2, 1])


def logits(seed=0, scale=3.0):
    return np.random.default_rng(seed).normal(size=(4, 3)) * scale


@given(st.integers(0, 1000))
@settings(max_examples=25, deadline=None)
def test_the_margin_is_the_log_odds_of_the_label(seed):
    z = logits(seed)
    p = np.exp(z) / np.exp(z).sum(1, keepdims=True)
    own = p[np.arange(4), LABELS]
    assert margin(z, LABELS) == pytest.approx(np.log(own / (1 - own)))


def test_a_set_of_tensors_is_scored_as_one_that_is_asked_for_one_by_one():
    class Other(TensorDataset):
        """Its kind is not known."""

    model = nn.Linear(5, 3)
    tensors = torch.randn(70, 5), torch.randint(0, 3, (70,))
    whole = outputs_of(model, TensorDataset(*tensors), batch_size=32)
    single = outputs_of(model, Other(*tensors), batch_size=32)
    assert np.array_equal(whole.logits, single.logits)
    assert np.array_equal(whole.labels, single.labels)


def test_tensors_and_arrays_give_the_same_margin():
    z = torch.tensor(logits(), requires_grad=True)
    assert (margin(z, torch.tensor(LABELS)) == margin(z.detach().numpy(), LABELS)).all()


def test_saturated_logits_stay_finite_and_ordered():
    z = torch.tensor(logits(scale=5.0), dtype=torch.float32)
    phi, large = margin(z, LABELS), margin(z * 50, LABELS)
    softmax = torch.softmax(z * 50, 1)
    assert ((softmax == 0) | (softmax == 1)).any()  # where log p - log(1 - p) would be infinite
    assert np.isfinite(large).all()
    ladder = torch.linspace(1, 40, 200)[:, None] * torch.tensor([[1.0, -1.0, 0.5]]) * 50
    assert (np.diff(margin(ladder, np.zeros(200))) > 0).all()
    assert (np.argsort(phi) == np.argsort(margin(z * 1.0001, LABELS))).all()


def test_a_margin_leaves_the_logits_alone():
    z = logits()
    copy = z.copy()
    outputs = Outputs(logits=z, labels=LABELS)
    assert np.isfinite(outputs.margin).all()
    assert (z == copy).all()


def test_a_regression_is_scored_by_its_squared_error():
    found = negative_squared_error(
        torch.tensor([[1.0, 2.0], [0.0, 0.0]]), [[1.0, 4.0], [3.0, 4.0]]
    )
    assert found.tolist() == [-4.0, -25.0]
    assert negative_squared_error([1.0, 2.0], [1.5, 2.0]).tolist() == [-0.25, 0.0]


def test_the_features_are_those_of_a_softmax():
    z = logits()
    outputs = Outputs(logits=z, labels=LABELS)
    p = np.exp(z) / np.exp(z).sum(1, keepdims=True)
    assert outputs.table[:, 0] == pytest.approx(-np.log(p[np.arange(4), LABELS]))
    assert outputs.table[:, 2] == pytest.approx(p.max(1))
    assert outputs.table[:, 3] == pytest.approx(-(p * np.log(p)).sum(1))
    assert outputs.table[:, 4].tolist() == (z.argmax(1) == LABELS).tolist()


class Noisy(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(4, 3), nn.Dropout(0.5), nn.BatchNorm1d(3))

    def forward(self, x):
        return self.body(x)


def test_scoring_a_model_changes_neither_modes_nor_random_state():
    model = Noisy()
    model.body[2].eval()  # frozen statistics inside a model that trains
    examples = TensorDataset(torch.randn(30, 4), torch.randint(3, (30,)))
    state = torch.random.get_rng_state()
    phi, correct = scores_of(model, examples, batch_size=7)
    assert torch.equal(torch.random.get_rng_state(), state)
    assert model.training
    assert not model.body[2].training
    model.eval()
    inputs, targets = examples.tensors
    assert phi == pytest.approx(margin(model(inputs), targets), abs=1e-5)
    assert (correct == (model(inputs).argmax(1) == targets).numpy()).all()
    assert len(outputs_of(model, examples)) == 30


@pytest.mark.parametrize(
    ("z", "labels", "sentence"),
    [
        (np.zeros((4, 1)), np.zeros(4), "at least two classes"),
        (np.zeros(4), np.zeros(4), "at least two classes"),
        (np.zeros((4, 3)), np.zeros(3), "labels"),
        (np.zeros((4, 3)), np.full(4, 3), "outside 0 to 2"),
        (np.zeros((4, 3)), np.full(4, -1), "outside 0 to 2"),
    ],
)
def test_it_refuses_outputs_that_do_not_fit(z, labels, sentence):
    with pytest.raises(OutputsRefused, match=sentence):
        margin(z, labels)
