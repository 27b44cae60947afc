"""Stacked training gives what training one after the other gives, or refuses."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.utils.data import Subset, TensorDataset

from tests.unlearning.toys import Filters, Normed, Plain, Toy, examples
from unlearning.core.private.terms import Privacy
from unlearning.core.recipe import NoExamples
from unlearning.core.session import Cancelled, Session
from unlearning.core.stackable import NotStackable, check_room, check_stackable
from unlearning.core.stacked import Part, Stack, train_stacked
from unlearning.core.training import LossNotFinite
from unlearning.recipes.digits import DigitsCNN, DigitsMLP
from unlearning.recipes.sharded import Sharded
from unlearning.recipes.tabular import TabularLogistic, TabularMLP

POOL = examples(40, seed=7)
# Subsets that differ in length, order and overlap; batches of 8 end an epoch at different steps.
PARTS = [
    Part(records=list(range(27)), seed=3),
    Part(records=list(range(39, 10, -1)), seed=4),
    Part(records=[5, 1, 30, 2, 8, 21, 34, 13, 3], seed=5),
    Part(records=list(range(0, 40, 2)), seed=3),
]


@dataclass(frozen=True, kw_only=True)
class Shaken(Plain):
    """Noise on the inputs, drawn anew at each step."""

    def augment(self, inputs):
        return inputs + 0.1 * torch.randn(inputs.shape)


@dataclass(frozen=True, kw_only=True)
class Nesterov(Plain):
    """Another kind of momentum, and a frozen layer."""

    def build(self):
        model = super().build()
        model.get_submodule("0").requires_grad_(requires_grad=False)
        return model

    def optimizer(self, weights):
        return torch.optim.SGD(weights, lr=0.05, momentum=0.8, weight_decay=0.01, nesterov=True)


@dataclass(frozen=True, kw_only=True)
class Adaptive(Plain):
    """An optimiser that a stack does not know."""

    def optimizer(self, weights):
        return torch.optim.Adam(weights)


@dataclass(frozen=True, kw_only=True)
class Ordered(Plain):
    """Batches of its own."""

    def plan(self, size, seed):
        return super().plan(size, 0)


@dataclass(frozen=True, kw_only=True)
class Weighing(Plain):
    """A loss of its own."""

    def loss(self, outputs, targets):
        return super().loss(outputs, targets) * len(targets)


def sequential(recipe, pool, parts):
    """The oracle: each model by the recipe itself."""
    return [
        recipe.train(Subset(pool, part.records), Session(seed=part.seed)).state_dict()
        for part in parts
    ]


def far(one, other):
    assert one.keys() == other.keys()
    return max(float((one[name] - other[name]).abs().max()) for name in one)


def table(size):
    generator = torch.Generator().manual_seed(1)
    inputs = 3 + 5 * torch.randn(size, 2, generator=generator)
    return TensorDataset(inputs, (inputs[:, 0] > 3).long())


@pytest.mark.parametrize(
    "recipe",
    [
        Plain(epochs=4, weight_decay=0.01),
        Plain(epochs=4, momentum=0.0),
        Shaken(epochs=3),
        Nesterov(epochs=3),
    ],
    ids=lambda recipe: type(recipe).__name__,
)
def test_every_model_is_that_of_training_by_itself(recipe):
    models = train_stacked(recipe, POOL, PARTS, Session(seed=9))
    for model, alone in zip(models, sequential(recipe, POOL, PARTS), strict=True):
        assert not model.training
        assert far(model.state_dict(), alone) < 1e-5


def test_scalers_are_fitted_on_each_models_own_records():
    recipe = TabularMLP(targets=("a", "b"), columns=("x", "y"), hidden=4, epochs=2, batch_size=8)
    models = train_stacked(recipe, table(40), PARTS, Session())
    alone = sequential(recipe, table(40), PARTS)
    assert max(map(far, (model.state_dict() for model in models), alone)) < 1e-5
    assert far(alone[0], alone[1]) > 0.01


@settings(max_examples=15, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 30), min_size=1, max_size=4),
    batch=st.integers(1, 12),
    seed=st.integers(0, 2**31),
)
def test_no_length_of_parts_or_batches_makes_a_difference(sizes, batch, seed):
    recipe = Plain(epochs=2, batch_size=batch, learning_rate=0.05)
    order = torch.randperm(40, generator=torch.Generator().manual_seed(seed)).tolist()
    parts = [Part(records=order[:size], seed=seed + place) for place, size in enumerate(sizes)]
    models = train_stacked(recipe, POOL, parts, Session())
    alone = sequential(recipe, POOL, parts)
    assert max(map(far, (model.state_dict() for model in models), alone)) < 1e-4


def test_a_model_does_not_depend_on_the_others_of_its_stack():
    recipe = Plain(epochs=4)
    whole = train_stacked(recipe, POOL, PARTS, Session(seed=1))
    other = train_stacked(recipe, POOL, PARTS[2:], Session(seed=2))
    for one, again in zip(whole[2:], other, strict=True):
        assert far(one.state_dict(), again.state_dict()) < 1e-5


def test_it_leaves_the_random_state_as_it_was():
    before = torch.get_rng_state()
    train_stacked(Shaken(epochs=1), POOL, PARTS, Session(seed=1))
    assert torch.equal(torch.get_rng_state(), before)


def test_it_reports_every_step_and_stops_between_two():
    told, recipe = [], Plain(epochs=2)
    train_stacked(recipe, POOL, PARTS, Session(progress=lambda *step: told.append(step)))
    assert told == [("train", step, 8) for step in range(9)]
    answers = iter([False, False, True])
    with pytest.raises(Cancelled, match="after step 2 of 8"):
        train_stacked(recipe, POOL, PARTS, Session(cancelled=lambda: next(answers)))


def test_a_loss_that_runs_away_stops_it_before_anything_moves():
    inputs, targets = (tensor.clone() for tensor in POOL.tensors)
    inputs[39] = float("inf")
    stack = Stack(Plain(batch_size=40), TensorDataset(inputs, targets), PARTS, Session())
    before = stack.models()[0].state_dict()["0.weight"].clone()
    with pytest.raises(LossNotFinite, match="at step 0 of"):
        stack.advance()
    assert torch.equal(stack.models()[0].state_dict()["0.weight"], before)
    with pytest.raises(NoExamples):
        train_stacked(Plain(), POOL, [Part(records=[], seed=1)], Session())


@pytest.mark.parametrize(
    ("recipe", "session", "reason"),
    [
        (Toy(), {}, "dropout"),
        (Normed(), {}, "batch normalisation"),
        (DigitsCNN(), {}, "batch normalisation"),
        (Filters(), {}, "convolutions"),
        (Adaptive(), {}, "the optimiser is Adam"),
        (Ordered(), {}, "orders its records"),
        (Weighing(), {}, "the loss is the recipe's own"),
        (Plain(), {"base": nn.Linear(1, 1)}, "base model"),
        (TabularLogistic(targets=("a", "b"), columns=("x",)), {}, "does not train by gradient"),
        (Sharded.of(DigitsMLP(), shards=2, slices=1), {}, "does not train by gradient"),
    ],
)
def test_what_cannot_be_stacked_is_refused_with_its_reason(recipe, session, reason):
    with pytest.raises(NotStackable, match=reason):
        check_stackable(recipe, Session(**session))


def test_private_training_and_mixed_precision_are_refused():
    private = Plain(privacy=Privacy(noise=1.0))
    with pytest.raises(NotStackable, match="private training"):
        check_stackable(private, Session())
    mixed = Session(device=torch.device("cuda"), amp=True)
    with pytest.raises(NotStackable, match="mixed precision"):
        check_stackable(Plain(), mixed)


def test_a_stack_that_would_not_fit_is_refused():
    with pytest.raises(NotStackable, match=r"1000000 models and 40 records would take \d+ MiB"):
        check_room(Plain(), POOL, 1_000_000, Session())
    check_room(Plain(), POOL, 1000, Session())
    wide = DigitsMLP(hidden=4096, batch_size=1)
    pool = TensorDataset(torch.zeros(1, 1, 8, 8), torch.zeros(1, dtype=torch.long))
    check_room(wide, pool, 200, Session())
    with pytest.raises(NotStackable):
        check_room(wide, pool, 250, Session())
