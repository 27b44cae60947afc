"""Subtraction equals retraining bit for bit, on every recipe that counts."""

from __future__ import annotations

from functools import cache

import pytest
import torch
from torch.utils.data import TensorDataset

from tests.unlearning.records import COLUMNS, TABLE, TWO, decoded
from tests.unlearning.toys import equal
from unlearning.core.claims import NotEligible
from unlearning.core.context import Context
from unlearning.core.recipe import UnreadableRecord
from unlearning.core.statistics.counters import NeverAdded
from unlearning.methods.decrement import Decrement
from unlearning.methods.finetune import Finetune
from unlearning.methods.retrain import Retrain
from unlearning.recipes.counted import (
    DigitsCountedBayes,
    DigitsRidge,
    TabularCountedBayes,
    TabularRidge,
)
from unlearning.recipes.digits import DigitsMLP
from unlearning.recipes.fitted_at_once import BaseModelUnused

RECIPES = [
    DigitsRidge(),
    DigitsCountedBayes(),
    TabularRidge(**TABLE),
    TabularCountedBayes(**TABLE),
]
every_recipe = pytest.mark.parametrize("recipe", RECIPES, ids=lambda each: type(each).__name__)


@cache
def parts(recipe_at: int) -> tuple[TensorDataset, TensorDataset, TensorDataset]:
    data = decoded(RECIPES[recipe_at])
    return data, some(data, slice(9, None)), some(data, slice(9))


def some(data: TensorDataset, chosen: slice) -> TensorDataset:
    return TensorDataset(*(tensor[chosen] for tensor in data.tensors))


@every_recipe
def test_subtraction_is_training_without_the_forget_set_bit_for_bit(recipe):
    whole, retain, forget = parts(RECIPES.index(recipe))
    context = Context(recipe=recipe, seed=4)
    model = recipe.train(whole, Context(recipe=recipe, seed=3))
    after = Decrement().unlearn(model, retain, forget, context)
    retrained = Retrain().unlearn(model, retain, forget, context)
    assert equal(after, retrained)
    assert not equal(after, model)
    inputs = whole.tensors[0]
    assert torch.equal(recipe.predict(after, inputs), recipe.predict(retrained, inputs))


@every_recipe
def test_a_batch_after_the_other_is_all_at_once(recipe):
    whole, retain, forget = parts(RECIPES.index(recipe))
    context = Context(recipe=recipe)
    model = recipe.train(whole, context)
    first, second = some(forget, slice(4)), some(forget, slice(4, None))
    twice = Decrement().unlearn(
        Decrement().unlearn(model, retain, second, context), retain, first, context
    )
    assert equal(twice, Decrement().unlearn(model, retain, forget, context))


def test_forgetting_twice_is_refused():
    recipe = RECIPES[0]
    whole, retain, _ = parts(0)
    context = Context(recipe=recipe)
    most = some(whole, slice(30))
    model = Decrement().unlearn(recipe.train(whole, context), retain, most, context)
    with pytest.raises(NeverAdded, match="The number of records would fall to -20"):
        Decrement().unlearn(model, retain, most, context)


@every_recipe
def test_its_statistics_are_integers_in_its_state_and_nothing_is_trainable(recipe):
    model = recipe.train(parts(RECIPES.index(recipe))[0], Context(recipe=recipe))
    kinds = {name.partition("_")[0]: tensor.dtype for name, tensor in model.state_dict().items()}
    assert kinds == {"counter": torch.int64, "weight": torch.float64}
    with pytest.raises(NotEligible, match="no trainable parameter"):
        Finetune().eligible(model)


def test_a_model_that_keeps_no_sums_is_refused():
    with pytest.raises(NotEligible, match=r"edits integer sums .*, and Sequential keeps none"):
        Decrement().eligible(DigitsMLP().build())


@every_recipe
def test_what_is_counted_at_once_takes_no_base_model(recipe):
    data = parts(RECIPES.index(recipe))[0]
    with pytest.raises(BaseModelUnused, match="starts from no base model"):
        recipe.train(data, Context(recipe=recipe, base=recipe.build()))


def test_a_number_beyond_fixed_point_is_refused_when_it_is_read():
    recipe = TabularRidge(columns=COLUMNS[:2], targets=TWO)
    with pytest.raises(UnreadableRecord, match="not below 32768 in size"):
        recipe.decode(b"1,-32768", "yes")
