"""Retraining equals training from scratch on the retain set, tensor for tensor."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.utils.data import Subset, TensorDataset

from tests.unlearning.toys import (
    FORGET,
    NOTHING,
    RETAIN,
    HalfFrozen,
    Normed,
    Plain,
    Toy,
    equal,
    original,
    whole,
)
from unlearning.core.context import Context
from unlearning.core.method import EmptySet
from unlearning.methods.finetune import Finetune
from unlearning.methods.retrain import Retrain, TensorSurvived, WarmStart
from unlearning.recipes.digits import DigitsCNN, DigitsFineTune, DigitsMLP, digit_records
from unlearning.recipes.tabular import TabularMLP


@pytest.fixture(scope="module")
def digits() -> TensorDataset:
    recipe = DigitsMLP()
    pairs = [
        recipe.decode(content, target)
        for (content, target), _ in zip(digit_records(), range(120), strict=False)
    ]
    inputs, targets = zip(*pairs, strict=True)
    return TensorDataset(torch.stack(inputs), torch.stack(targets))


@pytest.mark.parametrize("recipe", [Toy(), Plain(), Normed(), HalfFrozen()], ids=repr)
def test_retraining_is_training_without_the_forget_set(recipe):
    context = Context(recipe=recipe, seed=4)
    scratch = recipe.train(RETAIN, context)
    assert equal(Retrain().unlearn(original(recipe), RETAIN, FORGET, context), scratch)


@pytest.mark.parametrize("recipe", [DigitsMLP(epochs=3), DigitsCNN(epochs=2, width=4)], ids=repr)
def test_retraining_a_digits_model_depends_on_the_retained_records_alone(recipe, digits):
    forget, retain = Subset(digits, range(9)), Subset(digits, range(9, 120))
    context = Context(recipe=recipe, seed=4)
    model = recipe.train(digits, Context(recipe=recipe, seed=3))
    after = Retrain().unlearn(model, retain, forget, context)
    alone = TensorDataset(*(tensor[9:].clone() for tensor in digits.tensors))
    assert equal(after, recipe.train(alone, context))
    assert not equal(after, model)


def test_a_child_is_retrained_from_the_cleared_base(digits):
    forget, retain = Subset(digits, range(9)), Subset(digits, range(9, 120))
    base = DigitsMLP(epochs=2)
    child = DigitsFineTune(epochs=2)
    before, cleared = (base.train(data, Context(recipe=base, seed=1)) for data in (digits, retain))
    model = child.train(digits, Context(recipe=child, seed=2, base=before))
    context = Context(recipe=child, seed=2, base=cleared)
    after = Retrain().unlearn(model, retain, forget, context)
    assert equal(after, child.train(retain, context))
    assert not equal(after, child.train(retain, Context(recipe=child, seed=2, base=before)))


def test_a_child_keeps_the_scaler_of_its_base_when_it_is_fine_tuned():
    recipe = TabularMLP(columns=("a", "b", "c", "d"), targets=("a", "b", "c"), epochs=2)
    base = recipe.train(whole(), Context(recipe=recipe))
    child = recipe.train(RETAIN, Context(recipe=recipe, base=base))
    assert torch.equal(child.get_buffer("0.mean"), base.get_buffer("0.mean"))
    tuned = Finetune().unlearn(child, FORGET, RETAIN, Context(recipe=recipe, base=base))
    assert torch.equal(tuned.get_buffer("0.mean"), base.get_buffer("0.mean"))
    alone = Finetune().unlearn(base, RETAIN, FORGET, Context(recipe=recipe))
    assert torch.allclose(alone.get_buffer("0.mean"), RETAIN.tensors[0].mean(0), atol=1e-6)


def test_no_tensor_of_the_original_survives_in_nested_blocks():
    class Nested(Plain):
        def build(self) -> nn.Module:
            block = nn.Sequential(nn.Linear(4, 8), nn.Sequential(nn.Tanh(), nn.Linear(8, 8)))
            return nn.Sequential(block, nn.Linear(8, 3))

    model = original(Nested())
    after = Retrain().unlearn(model, RETAIN, FORGET, Context(recipe=Nested(), seed=99))
    for name, weight in after.named_parameters():
        assert not torch.equal(weight, model.get_parameter(name)), name


def test_a_recipe_that_ignores_its_examples_is_caught():
    class Deaf(Plain):
        def _fit(self, model, examples, session):
            for weight in model.parameters():
                weight.data.fill_(3)
            return model

    with pytest.raises(TensorSurvived, match=r"the original value of 0\.bias, 0\.weight, 2\.bias"):
        Retrain().unlearn(original(Deaf()), RETAIN, FORGET, Context(recipe=Deaf()))


def test_starting_from_the_model_that_is_to_be_unlearned_is_caught():
    model = original(Plain())
    with pytest.raises(WarmStart, match="start from the original model itself"):
        Retrain().unlearn(model, RETAIN, FORGET, Context(recipe=Plain(), base=model))


def test_an_unmoved_constant_is_no_survivor():
    class Gated(Plain):
        """A parameter that starts at one and gets no gradient."""

        def build(self) -> nn.Module:
            model = super().build()
            model.register_parameter("idle", nn.Parameter(torch.ones(2)))
            return model

    after = Retrain().unlearn(original(Gated()), RETAIN, FORGET, Context(recipe=Gated()))
    assert torch.equal(after.get_parameter("idle"), torch.ones(2))


def test_nothing_retained_is_refused():
    with pytest.raises(
        EmptySet, match="Retrain from scratch reads the retain set, and it is empty"
    ):
        Retrain().unlearn(original(Plain()), NOTHING, whole(), Context(recipe=Plain()))
