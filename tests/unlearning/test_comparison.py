"""Numbers that say how far an unlearned model is from the retrained one."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.utils.data import TensorDataset

from unlearning.core.comparison import (
    Accuracies,
    RatioUndefined,
    Sets,
    accuracies,
    losses,
    retention_deviation,
)
from unlearning.core.examples import Held
from unlearning.core.indiscernibility import TooFewToAttack, indiscernibility, population_mia
from unlearning.recipes.digits import DigitsMLP

RECIPE = DigitsMLP(targets=("0", "1"))
share = st.floats(0.01, 1)


def of(retain: float, forget: float, test: float) -> Accuracies:
    return Accuracies(retain=retain, forget=forget, validation=0.5, test=test)


class Says(nn.Module):
    """Answers with its input: a row of two logits."""

    def forward(self, inputs):
        return inputs


def held(logits, targets) -> Held:
    return Held(TensorDataset(torch.tensor(logits), torch.tensor(targets)))


def test_accuracy_is_the_share_of_right_answers_on_each_set():
    right, wrong = held([[2.0, 1.0]], [0]), held([[2.0, 1.0]], [1])
    half = held([[2.0, 1.0], [0.0, 1.0], [3.0, 1.0], [0.0, 9.0]], [0, 0, 1, 1])
    sets = Sets(retain=right, forget=half, validation=wrong, test=half)
    got = accuracies(RECIPE, Says(), sets)
    assert got == Accuracies(retain=1, forget=0.5, validation=0, test=0.5)


def test_losses_are_those_of_each_example_alone():
    logits = [[float(i % 7), float(i % 3)] for i in range(600)]  # more than one batch
    targets = [i % 2 for i in range(600)]
    found = losses(RECIPE, Says(), held(logits, targets))
    for i in (0, 255, 256, 599):
        row = np.asarray(logits[i], np.float64)
        assert found[i] == pytest.approx(np.log(np.exp(row).sum()) - row[targets[i]])


@given(share, share, share)
def test_the_retrained_model_deviates_from_itself_by_nothing(retain, forget, test):
    assert retention_deviation(of(retain, forget, test), of(retain, forget, test)) == 0


@given(share, share, share, share, share, share)
def test_deviation_is_the_sum_of_three_relative_gaps(a, b, c, x, y, z):
    found = retention_deviation(of(a, b, c), of(x, y, z))
    assert found == pytest.approx(abs(a - x) / x + abs(b - y) / y + abs(c - z) / z)


def test_without_a_right_answer_of_the_retrained_model_there_is_no_ratio():
    with pytest.raises(RatioUndefined, match="accuracy 0 on the retain, forget or test set"):
        retention_deviation(of(1, 1, 1), of(1, 0, 1))


def test_an_attack_on_equal_losses_is_at_chance():
    rng = np.random.default_rng(0)
    accuracy = population_mia(rng.normal(size=400), rng.normal(size=300), seed=1)
    assert 0.42 < accuracy < 0.58
    assert indiscernibility(accuracy) > 0.84


def test_an_attack_on_losses_far_apart_is_always_right():
    rng = np.random.default_rng(0)
    low, high = rng.normal(0, 0.1, 200), rng.normal(5, 0.1, 200)
    assert population_mia(low, high, seed=1) == 1
    assert population_mia(high, low, seed=1) == 1  # forgotten too well is seen as well
    assert indiscernibility(1) == indiscernibility(0) == 0
    assert indiscernibility(0.5) == 1


def test_the_attack_is_repeatable_and_needs_ten_of_each():
    rng = np.random.default_rng(3)
    sides = rng.normal(size=50), rng.normal(1, 1, 50)
    assert population_mia(*sides, seed=4) == population_mia(*sides, seed=4)
    with pytest.raises(TooFewToAttack, match="9 forgotten records and 50 strangers; at least 10"):
        population_mia(sides[0][:9], sides[1], seed=4)
