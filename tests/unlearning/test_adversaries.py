"""Methods that use mistakes and attackers: AMUN, REMI and mini-unlearning."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy
from torch.utils.data import TensorDataset

from tests.unlearning.answering import CONTEXT, MODEL, SEED, loss_of
from tests.unlearning.toys import FORGET, RETAIN, Plain, history, original
from unlearning.core.adversarial import Search
from unlearning.core.context import Context
from unlearning.core.method import NothingTouched, NotKept
from unlearning.core.session import Session
from unlearning.methods.amun import Amun
from unlearning.methods.finetune import Finetune
from unlearning.methods.mini_unlearning import MiniUnlearning
from unlearning.methods.remi import Remi


def search(**settings: float) -> Search:
    numbers: dict[str, Any] = {"low": -3, "high": 3, "start": 0.01, "steps": 20, "doublings": 8}
    return Search(loss=cross_entropy, session=Session(), **{**numbers, **settings})


def test_the_nearest_mistake_is_hardly_further_than_the_boundary():
    model = nn.Linear(2, 2, bias=False)
    with torch.no_grad():  # the boundary is where both inputs are equal
        model.weight.copy_(torch.eye(2))
    inputs, labels = torch.tensor([[1.0, 0.0], [0.0, 0.5], [2.0, 1.9]]), torch.tensor([0, 1, 1])
    found, answers = search().nearest(model, inputs, labels, "attack")
    assert answers.tolist() == [1, 0, 0]
    away = (found - inputs).norm(dim=1)
    distances = torch.tensor([1.0, 0.5]) / 2**0.5
    assert (distances <= away[:2]).all()
    assert (away[:2] <= 2.2 * distances).all()
    assert away[2] == 0  # was answered wrongly already


def test_the_search_ends_where_no_answer_ever_flips():
    model = nn.Linear(2, 2)
    with torch.no_grad():
        model.weight.zero_()
        model.bias.copy_(torch.tensor([1.0, 0.0]))
    found, answers = search(doublings=2).nearest(
        model, torch.zeros(3, 2), torch.tensor([0, 0, 1]), "attack"
    )
    assert len(found) == len(answers) == 1


def test_amun_teaches_the_mistakes_and_says_how_many_it_found():
    settings: dict[str, Any] = {"epochs": 20, "learning_rate": 0.1}
    method = Amun(**settings, decay_every=10)
    done = method.apply(MODEL, RETAIN, FORGET, CONTEXT)
    assert done.report.stop_reason == "completed 20 epochs with 6 adversarial examples"
    mistakes = method._pairs(deepcopy(MODEL), RETAIN, FORGET, CONTEXT)
    tuned = Finetune(**settings).unlearn(MODEL, RETAIN, FORGET, CONTEXT)
    assert loss_of(done.model, mistakes) < loss_of(tuned, mistakes) - 0.1


def test_amun_without_a_mistake_to_teach_is_no_unlearning():
    model = deepcopy(MODEL)
    with torch.no_grad():
        model.get_parameter("2.weight").zero_()
        model.get_parameter("2.bias").copy_(torch.tensor([1.0, 0.0, 0.0]))
    only = TensorDataset(FORGET.tensors[0], torch.zeros(len(FORGET), dtype=torch.long))
    with pytest.raises(NothingTouched, match=r"AMUN found no adversarial example; raise doub"):
        Amun(attack_steps=10).unlearn(model, RETAIN, only, CONTEXT)


def test_remi_lets_the_attacker_pull_the_forget_set_away():
    settings: dict[str, Any] = {"epochs": 40, "learning_rate": 0.05}
    much, little = (
        Remi(leakage=leakage, **settings).apply(MODEL, RETAIN, FORGET, CONTEXT)
        for leakage in (10, 0.01)
    )
    assert loss_of(much.model, FORGET) > loss_of(little.model, FORGET)
    assert much.report.stop_reason.startswith("completed 40 epochs against an attacker that was ")
    assert much.report.read == ("retain", "forget", "validation")


def test_mini_unlearning_takes_the_recorded_steps_without_the_records_to_forget():
    recipe = Plain(momentum=0.0, weight_decay=0.01)
    kept = history(recipe)
    context = Context(recipe=recipe, seed=SEED, history=kept)
    after = MiniUnlearning(rounds=2).unlearn(original(recipe), RETAIN, FORGET, context)
    model = recipe.build()
    model.load_state_dict(kept.weights)
    for _ in range(2):
        for batch, rate in zip(kept.batches, kept.rates, strict=True):
            chosen = list(batch)
            loss = cross_entropy(model(RETAIN.tensors[0][chosen]), RETAIN.tensors[1][chosen])
            slopes = torch.autograd.grad(loss, list(model.parameters()))
            for weight, slope in zip(model.parameters(), slopes, strict=True):
                pulled = slope + 0.01 * weight.detach()
                weight.data -= recipe.learning_rate * rate * pulled
    pairs = zip(model.parameters(), after.parameters(), strict=True)
    assert all(torch.allclose(one, other, atol=1e-6) for one, other in pairs)


def test_mini_unlearning_says_so_when_the_last_batches_never_held_the_records():
    recipe = Plain()
    context = Context(recipe=recipe, seed=SEED, history=replace(history(recipe), holes=0))
    with pytest.raises(NothingTouched, match="no record to forget was in any of them"):
        MiniUnlearning().unlearn(original(recipe), RETAIN, FORGET, context)


def test_mini_unlearning_without_a_stored_state_says_what_is_missing():
    with pytest.raises(NotKept, match="a state saved during training, and none was kept"):
        MiniUnlearning().unlearn(MODEL, RETAIN, FORGET, CONTEXT)
