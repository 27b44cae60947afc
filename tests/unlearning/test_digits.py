"""Digits come back exactly, and their defaults memorise."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_digits
from torch.utils.data import TensorDataset

from tests.unlearning.records import decoded, png
from unlearning.core.context import Context
from unlearning.core.recipe import UnreadableRecord
from unlearning.recipes.digits import (
    BaseModelRequired,
    DigitsFineTune,
    DigitsMLP,
    decode_levels,
    digit_records,
    encode,
)


def test_every_digit_comes_back_exactly():
    data = load_digits()
    records = list(digit_records())
    assert len(records) == 1797
    for (content, target), levels, label in zip(records, data.images, data.target, strict=True):
        assert torch.equal(decode_levels(content) * 16, torch.from_numpy(levels).float())
        assert target == str(label)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.lists(st.integers(0, 16), min_size=8, max_size=8), min_size=8, max_size=8))
def test_all_levels_come_back_exactly(levels):
    assert (decode_levels(encode(levels)) * 16).tolist() == levels


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (png(8, 9, "L"), r"8 x 8 pixels, and this is one of mode L and 8 x 9 pixels"),
        (png(8, 8, "RGB"), r"and this is one of mode RGB and 8 x 8 pixels"),
        (png(8, 8, "L")[:40], r"^The content is not a complete PNG image"),
    ],
    ids=["size", "mode", "cut"],
)
def test_a_digit_of_another_kind_is_refused(content, sentence):
    with pytest.raises(UnreadableRecord, match=sentence):
        DigitsMLP().decode(content, "0")


def test_the_defaults_memorise():
    recipe = DigitsMLP()
    pairs = [
        recipe.decode(*record) for record, _ in zip(digit_records(), range(100), strict=False)
    ]
    inputs, targets = (torch.stack(each) for each in zip(*pairs, strict=True))
    model = recipe.train(TensorDataset(inputs, targets), Context(recipe=recipe))
    assert (recipe.predict(model, inputs).argmax(1) == targets).all()


def test_a_child_starts_from_its_base_and_leaves_it_alone():
    recipe = DigitsFineTune(learning_rate=1e-5, epochs=1)
    base = DigitsMLP().build()
    before = {name: tensor.clone() for name, tensor in base.state_dict().items()}
    child = recipe.train(decoded(recipe), Context(recipe=recipe, base=base))
    for name, tensor in child.state_dict().items():
        assert torch.equal(base.state_dict()[name], before[name])
        assert 0 < (tensor - before[name]).abs().max() < 1e-2
    with pytest.raises(BaseModelRequired, match="starts from a base model, and the session has"):
        recipe.train(decoded(recipe), Context(recipe=recipe))
