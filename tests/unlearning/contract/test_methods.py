"""The contract of what a method changes and reads, checked for every method file there is."""

from __future__ import annotations

import dataclasses
import random
from copy import deepcopy
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from tests.unlearning.toys import (
    FORGET,
    HELD_OUT,
    NOTHING,
    RETAIN,
    HalfFrozen,
    Lacking,
    Normed,
    Shaken,
    Toy,
    Untouchable,
    equal,
    original,
)
from tests.unlearning.trying import METHODS, at_home, context, fitted_at_once, run, sets, tried
from unlearning.core.claims import Granularity, Guarantee, Layers, Need, NotEligible
from unlearning.core.classes import NotAWholeClass
from unlearning.core.context import Context
from unlearning.core.method import EmptySet, Method, Unlearned
from unlearning.core.ranges import hyperparameters

if TYPE_CHECKING:
    from unlearning.core.examples import Examples


APPROXIMATE = [
    name
    for name in METHODS
    if METHODS.get(name).guarantee is Guarantee.APPROXIMATE
    and Need.RETAIN in METHODS.get(name).needs
]
BLIND = [name for name in METHODS if not METHODS.get(name).reads_forget]


def test_it_returns_a_new_model_and_leaves_its_argument_alone(method, recipe):
    model = original(recipe)
    before = deepcopy(model)
    after = method.unlearn(model, *sets(method), context(recipe))
    assert equal(model, before)
    mine = {tensor.data_ptr() for tensor in model.state_dict().values()}
    assert mine.isdisjoint(tensor.data_ptr() for tensor in after.state_dict().values())


def test_the_same_seed_gives_the_same_model_whatever_ran_before(method, recipe):
    model = original(recipe)
    first = method.unlearn(model, *sets(method), context(recipe))
    torch.rand(1000), np.random.default_rng().random(3), random.random()
    model.train()  # a caller may have left it so
    assert equal(first, method.unlearn(model, *sets(method), context(recipe)))


def test_another_seed_gives_another_model_where_anything_is_drawn(method):
    small = {each.name: 4 for each in hyperparameters(type(method)) if "batch_size" in each.name}
    method = dataclasses.replace(method, **small)
    same = equal(run(method, Shaken, seed=7), run(method, Shaken, seed=8))
    assert same == fitted_at_once(method)


def test_it_leaves_every_global_random_state_as_it_was(method):
    original(at_home(method, Toy))
    before = random_states()
    run(method)
    assert random_states() == before


def random_states() -> tuple[object, ...]:
    numpys = np.random.get_state(legacy=False)  # noqa: NPY002  (the global state is the subject)
    return torch.get_rng_state().tolist(), random.getstate(), repr(numpys)


def test_what_comes_back_is_like_what_went_in(method, recipe):
    model = original(recipe)
    after = method.unlearn(model, *sets(method), context(recipe))
    assert [type(layer) for layer in model.modules()] == [type(layer) for layer in after.modules()]
    assert {name: tensor.shape for name, tensor in model.state_dict().items()} == {
        name: tensor.shape for name, tensor in after.state_dict().items()
    }
    assert [weight.requires_grad for weight in model.parameters()] == [
        weight.requires_grad for weight in after.parameters()
    ]
    assert not any(layer.training for layer in after.modules())
    assert all(weight.grad is None for weight in after.parameters())
    assert not any(layer._forward_hooks for layer in after.modules())


@pytest.mark.parametrize("name", APPROXIMATE)
def test_a_frozen_layer_keeps_its_bits(name):
    method = tried(name)
    model = original(at_home(method, HalfFrozen))
    after = run(method, HalfFrozen)
    names = [name for name, weight in model.named_parameters() if not weight.requires_grad]
    assert all(torch.equal(model.get_parameter(it), after.get_parameter(it)) for it in names)


@pytest.mark.parametrize("name", APPROXIMATE)
def test_norm_statistics_come_from_the_retain_set_alone(name):
    method = tried(name)
    after = run(method, Normed)
    inputs = sets(method)[0].tensors[0]
    assert torch.allclose(after.get_buffer("0.running_mean"), inputs.mean(0), atol=1e-6)
    assert torch.allclose(after.get_buffer("0.running_var"), inputs.var(0), atol=1e-6)


def declared(method: Method) -> dict[str, bool]:
    return {
        "retain": Need.RETAIN in method.needs,
        "forget": method.reads_forget,
        "validation": Need.VALIDATION in method.needs,
    }


def given(method: Method) -> dict[str, Examples]:
    retain, forget = sets(method)
    return {"retain": retain, "forget": forget, "validation": HELD_OUT}


def apply(method: Method, recipe: Toy, mine: dict[str, Examples]) -> Unlearned:
    inside = context(recipe, validation=mine["validation"])
    return method.apply(original(recipe), mine["retain"], mine["forget"], inside)


def test_it_reads_what_it_declares_and_nothing_else(method):
    reads = declared(method)
    mine = {name: each if reads[name] else Untouchable() for name, each in given(method).items()}
    report = apply(method, at_home(method, Toy), mine).report
    assert report.read == tuple(name for name in reads if reads[name])


def test_an_empty_set_that_it_reads_is_refused_in_words(method):
    for name in (name for name, reads in declared(method).items() if reads):
        with pytest.raises(EmptySet, match=f"reads the {name} set, and it is empty"):
            apply(method, at_home(method, Toy), {**given(method), name: NOTHING})


@pytest.mark.parametrize("name", BLIND)
def test_a_method_that_does_not_read_the_forget_set_runs_after_its_deletion(name):
    method = tried(name)
    without_it = apply(method, at_home(method, Toy), {**given(method), "forget": NOTHING})
    assert equal(run(method), without_it.model)


def test_a_method_for_classes_refuses_single_records(method):
    if method.granularity is Granularity.CLASS:
        mine = {**given(method), "retain": RETAIN, "forget": FORGET}
        with pytest.raises(NotAWholeClass):
            apply(method, at_home(method, Toy), mine)


def test_a_model_without_the_layers_that_it_edits_is_refused(method):
    if method.layers not in {Layers.WHOLE, Layers.TRAINABLE}:
        recipe = Lacking(edits=method.layers.name)
        with pytest.raises(NotEligible, match=r"\.$"):
            method.unlearn(recipe.build(), *sets(method), Context(recipe=recipe))
