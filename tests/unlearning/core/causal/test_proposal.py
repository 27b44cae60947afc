"""A few known bad records lead to the others, and ordinary ones lead to a sentence."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import TensorDataset

from tests.unlearning.core.causal.worlds import BAD, RECORDS, clean, mislabelled, poisoned, spoilt
from unlearning.core.causal.features import NotMeasurable, features_of, narrowed
from unlearning.core.causal.proposal import propose
from unlearning.core.session import Session
from unlearning.recipes.counted import DigitsRidge
from unlearning.recipes.digits import DigitsCNN
from unlearning.recipes.tabular import TabularLogistic

SEEDS = 6
BY_CHANCE = (BAD - SEEDS) / (RECORDS - SEEDS)  # precision of records drawn at random


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(
    ("how", "precision", "recall"), [(mislabelled, 0.9, 0.9), (poisoned, 0.75, 0.6)]
)
def test_planted_records_are_found(how, precision, recall, seed):
    world = spoilt(how, seed)
    seeds = world.bad[:SEEDS].tolist()
    found = propose(world.model, world.examples, seeds, Session())
    assert found.reason == ""
    assert all(found.clusters[seeds])
    reached = world.measured(found.clusters > 0, seeds)
    print(how.__name__, seed, "precision and recall", reached, "by chance", BY_CHANCE)
    assert reached[0] >= precision > 10 * BY_CHANCE
    assert reached[1] >= recall


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_ordinary_records_have_nothing_in_common(seed):
    world = spoilt(clean, seed)
    found = propose(world.model, world.examples, world.bad[:SEEDS].tolist(), Session())
    assert found.chance > 0.05
    assert found.reason.startswith("The 6 seed records have no more in common than records of")


def test_a_linear_model_of_scikit_learn_is_measured():
    world = spoilt(mislabelled)
    columns = tuple(f"p{number}" for number in range(64))
    recipe = TabularLogistic(columns=columns, targets=tuple("0123456789"))
    rows = TensorDataset(world.examples.tensors[0].flatten(1), world.labels)
    model = recipe.train(rows, Session())
    seeds = world.bad[:SEEDS].tolist()
    found = propose(model, rows, seeds, Session())
    reached = world.measured(found.clusters > 0, seeds)
    assert min(reached) >= 0.7, reached


def test_the_same_is_found_again_and_the_model_is_left_as_it_was():
    world = spoilt(mislabelled, recipe=DigitsCNN(width=4, epochs=4))
    before = json.dumps([each.tolist() for each in world.model.state_dict().values()])
    seeds = world.bad[:SEEDS].tolist()
    world.model.train()
    first, second = (propose(world.model, world.examples, seeds, Session()) for _ in range(2))
    assert np.array_equal(first.scores, second.scores)
    assert np.array_equal(first.clusters, second.clusters)
    assert world.model.training
    assert json.dumps([each.tolist() for each in world.model.state_dict().values()]) == before


def test_a_model_without_a_linear_layer_gets_a_sentence():
    with pytest.raises(NotMeasurable, match="does not end in a linear layer"):
        features_of(DigitsRidge().build(), TensorDataset(*some()), Session())


def test_a_layer_that_is_passed_twice_gets_a_sentence():
    twice = nn.Linear(64, 64)
    model = nn.Sequential(nn.Flatten(), twice, twice)
    with pytest.raises(NotMeasurable, match="is not passed once for each record"):
        features_of(model, TensorDataset(*some()), Session())


def test_too_few_seeds_get_a_sentence():
    world = TensorDataset(*some())
    with pytest.raises(NotMeasurable, match=r"^2 of the seed records were trained on; at least 3"):
        propose(nn.Sequential(nn.Flatten(), nn.Linear(64, 10)), world, [0, 1, 1], Session())


def test_a_head_that_is_too_large_is_narrowed_and_one_for_too_many_classes_refused():
    features = np.random.default_rng(0).normal(size=(50, 40))
    assert narrowed(features, 2) is features
    assert narrowed(features, 200).shape == (50, 19)
    with pytest.raises(NotMeasurable, match="tells 1000 classes apart; influence is measured for"):
        narrowed(features, 1000)


def some():
    return torch.rand(8, 1, 8, 8), torch.arange(8)
