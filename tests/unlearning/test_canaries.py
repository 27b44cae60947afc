from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.utils.data import TensorDataset

from unlearning.core.canaries import CanarySet, CannotPlant, InUnits, Units, why_not
from unlearning.core.examples import count
from unlearning.core.shares import FEWEST, MOST, refused, share_of
from unlearning.recipes.digits import DigitsMLP
from unlearning.recipes.tabular import TabularMLP, TabularNaiveBayes

SEED = 5


def rows(scale=(1.0, 300.0, 0.0), records=80):
    drawn = torch.randn(records, 3, generator=torch.Generator().manual_seed(1))
    return TensorDataset(drawn * torch.tensor(scale) + 7, torch.zeros(records, dtype=torch.long))


def drawn(seed=SEED, number=64, examples=None):
    units = Units.around(examples or rows())
    return CanarySet(seed=seed, number=number, classes=3, units=units)


def test_a_seed_gives_the_same_canaries_and_another_seed_others():
    assert drawn().digest() == drawn().digest()
    assert drawn().digest() != drawn(seed=6).digest()
    assert drawn().digest() != replace(drawn(), number=65).digest()


def test_units_hardly_move_when_a_record_goes():
    whole, fewer = rows(), rows(records=79)
    assert Units.around(whole) == Units.around(fewer)
    found = Units.around(whole)
    assert found.spread == (1.0, 256.0, 0.0)
    assert found.centre == (7.0, 0.0, 7.0)


def test_what_one_person_alone_has_does_not_show_in_the_units():
    generator = torch.Generator().manual_seed(3)
    inputs = torch.randn((200, 3), generator=generator)
    inputs[:, 1] = 0.0
    plain = Units.around(TensorDataset(inputs, torch.zeros(200, dtype=torch.long)))
    inputs[7, 1], inputs[7, 2] = 1.0, 1e6
    odd = Units.around(TensorDataset(inputs, torch.zeros(200, dtype=torch.long)))
    assert odd == plain
    assert odd.spread[1] == 0.0


def test_pictures_have_one_unit_for_every_place():
    pictures = torch.rand(40, 1, 8, 8, generator=torch.Generator().manual_seed(1))
    units = Units.around(TensorDataset(pictures, torch.zeros(40, dtype=torch.long)))
    assert (units.shape, units.centre, units.spread) == ((1, 8, 8), (0.5,), (0.25,))


def test_inputs_without_variation_or_without_fractions_take_no_canaries():
    same = TensorDataset(torch.ones(4, 2), torch.zeros(4))
    whole = TensorDataset(torch.ones(4, 2, dtype=torch.long), torch.zeros(4))
    with pytest.raises(CannotPlant, match="All inputs are the same"):
        Units.around(same)
    with pytest.raises(CannotPlant, match=r"of type torch\.int64"):
        Units.around(whole)


def test_the_noise_is_added_to_clean_inputs_in_units():
    found = drawn()
    noise = (found.noisy - found.units.inputs(found.clean)) / found.size
    assert noise[:, 2].abs().max() == 0  # a constant column stays what it is
    assert noise[:, 0].std() == pytest.approx(1, abs=0.3)
    assert noise[:, 1].std() == pytest.approx(256, abs=80)
    assert 0.5 <= found.size <= 1


def test_what_was_learned_is_what_the_coins_chose_in_any_cut():
    found = drawn()
    cuts = [found.learned(first, first + 16) for first in range(0, 64, 16)]
    whole = found.learned(0, 64)
    assert count(whole) == found.included.sum() == sum(map(count, cuts))
    assert torch.equal(torch.cat([one.tensors[0] for one in cuts]), whole.tensors[0])
    assert torch.equal(whole.tensors[0], found.noisy[np.flatnonzero(found.included)])
    assert torch.equal(whole.tensors[1], found.labels[np.flatnonzero(found.included)])


def test_a_model_seen_through_units_answers_as_for_the_inputs():
    found, model = drawn(), nn.Linear(3, 2)
    seen = InUnits(model, found.units)(found.clean)
    assert torch.equal(seen, model(found.units.inputs(found.clean)))


@given(st.integers(FEWEST, MOST))
def test_four_runs_spend_every_canary_once(number):
    first, spent = 0, list[int]()
    for _ in range(4):
        first, last = share_of(number, first)
        spent += range(first, last)
        first = last
    assert spent == list(range(number))
    assert share_of(number, first) == (number, number)


@pytest.mark.parametrize(("number", "right"), [(0, True), (31, False), (32, True), (4097, False)])
def test_too_few_and_too_many_are_refused(number, right):
    assert (refused("K", number) == "") == right


def test_only_plain_gradient_trainings_take_canaries():
    assert why_not(DigitsMLP(), base=False) == ""
    assert why_not(TabularMLP(columns=("a",), targets=("0", "1")), base=False) == ""
    bayes = TabularNaiveBayes(columns=("a",), targets=("0", "1"))
    assert "not trained by plain gradient steps" in why_not(bayes, base=False)
    assert "starts from a base model" in why_not(DigitsMLP(), base=True)
    private = DigitsMLP(privacy={"clip": 1.0, "noise": 1.0})  # type: ignore[arg-type]  # as read
    assert "trained privately" in why_not(private, base=False)
