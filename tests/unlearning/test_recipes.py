"""Each family decodes, trains, and survives being stored; what does not fit is named."""

from __future__ import annotations

import json

import pytest
import torch
from safetensors.torch import load, save

from tests.unlearning.records import IMAGES, TABLE, decoded, records_of
from tests.unlearning.toys import NOTHING, equal
from unlearning.core.context import Context
from unlearning.core.recipe import (
    NoExamples,
    Recipe,
    UnknownTarget,
    UnreadableRecord,
    check_unchanged,
    load_recipe,
)
from unlearning.recipes.certified import DigitsCertified
from unlearning.recipes.counted import (
    DigitsCountedBayes,
    DigitsRidge,
    TabularCountedBayes,
    TabularRidge,
)
from unlearning.recipes.digits import DigitsCNN, DigitsFineTune, DigitsMLP
from unlearning.recipes.tabular import TabularLogistic, TabularMLP, TabularNaiveBayes

BUILT_IN = ["unlearning.recipes"]


def base_of(recipe: Recipe) -> torch.nn.Module | None:
    return DigitsMLP().build() if isinstance(recipe, DigitsFineTune) else None


RECIPES = [
    DigitsMLP(epochs=8, batch_size=8),
    DigitsCNN(epochs=8, batch_size=8, width=4),
    DigitsFineTune(epochs=8, batch_size=8, learning_rate=0.1),
    IMAGES,
    TabularMLP(epochs=8, **TABLE),
    TabularLogistic(**TABLE),
    TabularNaiveBayes(**TABLE),
    TabularRidge(**TABLE),
    TabularCountedBayes(**TABLE),
    DigitsRidge(),
    DigitsCountedBayes(),
    DigitsCertified(sigma=1e-3),
]


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: type(recipe).__name__)
class TestEveryRecipe:
    def test_it_trains_repeatably_on_what_it_decodes(self, recipe):
        data = decoded(recipe)
        context = Context(recipe=recipe, seed=1, base=base_of(recipe))
        before = torch.get_rng_state()
        model = recipe.train(data, context)
        assert torch.equal(torch.get_rng_state(), before)
        assert not model.training
        assert equal(model, recipe.train(data, context))
        logits = recipe.predict(model, data.tensors[0])
        assert logits.shape == (len(data), len(recipe.targets))
        if recipe.family != "images":  # one epoch is too few to learn from
            assert (logits.argmax(1) == data.tensors[1]).float().mean() > 0.7

    def test_its_model_survives_safetensors(self, recipe):
        data = decoded(recipe)
        model = recipe.train(data, Context(recipe=recipe, base=base_of(recipe)))
        stored = load(save(model.state_dict()))
        again = recipe.build()
        again.load_state_dict(stored)
        inputs = data.tensors[0]
        assert torch.equal(recipe.predict(again, inputs), recipe.predict(model, inputs))

    def test_it_comes_back_from_its_description(self, recipe):
        described = json.loads(json.dumps(recipe.describe()))
        again = load_recipe(described["recipe"], described["parameters"], BUILT_IN)
        assert again == recipe
        assert again.digest() == recipe.digest()
        check_unchanged(again, recipe.digest())

    def test_it_has_a_title_and_refuses_an_unknown_target(self, recipe):
        assert recipe.title
        with pytest.raises(UnknownTarget, match=r"The target 'perhaps' is not one of: "):
            recipe.decode(records_of(recipe)[0][0], "perhaps")

    def test_it_refuses_content_that_it_cannot_read_and_does_not_quote_it(self, recipe):
        for content in (b"", b"secret", b"{secret", b"\xff\xfe", b'{"a": [[', b"1,2,3\n4,5,6\n"):
            with pytest.raises(UnreadableRecord) as caught:
                recipe.decode(content, recipe.targets[0])
            assert "secret" not in str(caught.value)

    def test_it_refuses_to_train_on_nothing(self, recipe):
        with pytest.raises(
            NoExamples, match="needs at least one example to train on, and got none"
        ):
            recipe.train(NOTHING, Context(recipe=recipe, base=base_of(recipe)))
