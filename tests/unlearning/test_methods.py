"""The contract, checked for every method file there is.

Each test runs a method once or twice on a toy that has the layers it edits.
"""

from __future__ import annotations

import dataclasses
import inspect
import json
import random
import re
from copy import deepcopy
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.unlearning.toys import (
    FORGET,
    HELD_OUT,
    NOTHING,
    RETAIN,
    HalfFrozen,
    Lacking,
    Normed,
    Plain,
    Shaken,
    Toy,
    Untouchable,
    equal,
    original,
)
from tests.unlearning.trying import METHODS, at_home, context, fitted_at_once, run, sets, tried
from unlearning.core import entries
from unlearning.core.claims import Granularity, Guarantee, Layers, Need, NotEligible
from unlearning.core.classes import NotAWholeClass
from unlearning.core.context import Cancelled, Context
from unlearning.core.method import EmptySet, Method, Unlearned
from unlearning.core.ranges import hyperparameters
from unlearning.core.training import LossNotFinite

if TYPE_CHECKING:
    from torch import nn

    from unlearning.core.examples import Examples

RECONSTRUCTED = "reconstructed from the abstract"
APPROXIMATE = [
    name
    for name in METHODS
    if METHODS.get(name).guarantee is Guarantee.APPROXIMATE
    and Need.RETAIN in METHODS.get(name).needs
]
BLIND = [name for name in METHODS if not METHODS.get(name).reads_forget]


@pytest.fixture(params=METHODS.names())
def method(request: pytest.FixtureRequest) -> Method:
    return tried(request.param)


@pytest.fixture(params=[Toy, Normed], ids=["dropout", "batch norm"])
def recipe(request: pytest.FixtureRequest, method: Method) -> Toy:
    return at_home(method, request.param)


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


def test_progress_is_told_at_every_step_and_never_goes_back_within_a_phase(method):
    told: list[tuple[str, int, int]] = []
    recipe = at_home(method, Toy)
    watching = context(recipe, progress=lambda *step: told.append(step))
    method.unlearn(original(recipe), *sets(method), watching)
    assert len(told) > 1
    for (name, done, total), (next_name, next_done, _) in pairwise(told):
        assert 0 <= done <= total
        assert next_done == (done + 1 if next_name == name else 0)


def test_it_stops_when_it_is_cancelled(method):
    recipe = at_home(method, Toy)
    asked: list[int] = []
    method.unlearn(
        original(recipe), *sets(method), context(recipe, cancelled=lambda: asked.append(0))
    )
    for patience in {0, 1, len(asked) - 1}:
        calls = iter(range(1000))
        impatient = context(recipe, cancelled=lambda it=calls, stop=patience: next(it) >= stop)
        with pytest.raises(Cancelled, match=r"^Cancelled during .*, after step \d+ of \d+\.$"):
            method.unlearn(original(recipe), *sets(method), impatient)
        assert next(calls) == patience + 1


def test_a_loss_that_runs_away_fails_the_run(method):
    class Broken(Plain):
        def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
            return super().loss(outputs, targets) * float("inf")

    if fitted_at_once(method):
        return
    recipe = at_home(method, Broken)
    model = original(at_home(method, Plain))
    with torch.no_grad():  # for methods with a loss of their own
        next(reversed(list(model.parameters()))).fill_(float("inf"))
    with pytest.raises(LossNotFinite, match=r"The loss of .* is (inf|-inf|nan) at step 0 of"):
        method.unlearn(model, *sets(method), context(recipe))


def moving(model: nn.Module) -> dict[str, Tensor]:
    """Return the parameters by name, or the buffers of a model without parameters."""
    return dict(model.named_parameters()) or dict(model.named_buffers())


def test_the_report_counts_what_changed(method, recipe):
    ticks = iter([10.0, 12.5])
    model = original(recipe)
    unlearned = method.apply(model, *sets(method), context(recipe, clock=lambda: next(ticks)))
    report, after = unlearned.report, unlearned.model
    mine, its = moving(model), moving(after)
    pairs = zip(mine.values(), its.values(), strict=True)
    assert report.trained == sum(int((old != new).sum()) for old, new in pairs) > 0
    assert report.edited is None or report.edited > 0
    assert report.parameters == sum(weight.numel() for weight in model.parameters())
    assert set(report.layers) <= mine.keys()
    assert report.method in METHODS
    assert report.seconds == 2.5
    assert json.loads(json.dumps(report.as_dict())) == report.as_dict()


def test_the_records_to_forget_are_never_augmented(method):
    seen: list[Tensor] = []

    class Noting(Plain):
        def augment(self, inputs: Tensor) -> Tensor:
            seen.append(inputs)
            return inputs

    inside = context(at_home(method, Noting))
    seen.clear()  # what is kept of a training was augmented in it
    method.unlearn(original(at_home(method, Plain)), *sets(method), inside)
    if seen:
        rows = torch.cat(seen)
        assert (rows[:, None] == sets(method)[0].tensors[0]).all(-1).any(1).all()


def test_it_documents_itself(method):
    cls = type(method)
    text = inspect.getdoc(cls) or ""
    assert list(entries.sections(text)) == list(entries.SECTIONS)
    assert len(re.findall(r"[.!?](?: |$)", entries.opening(text))) == 2
    assert cls.title
    assert cls.paper
    assert cls.basis in {"code", "design", RECONSTRUCTED}
    assert (cls.basis == RECONSTRUCTED) == (RECONSTRUCTED in text)
    assert dataclasses.astuple(cls.cost) > (0, 0, 0)


def test_its_repr_makes_it_again(method):
    cls = type(method)
    assert eval(repr(method), {cls.__name__: cls}) == method
    assert cls(**json.loads(json.dumps(dataclasses.asdict(method)))) == method


def test_mixed_precision_changes_nothing_on_the_processor(method):
    recipe = at_home(method, Plain)
    mixed = method.unlearn(original(recipe), *sets(method), context(recipe, amp=True))
    assert equal(run(method, Plain), mixed)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an accelerator")
@pytest.mark.parametrize("amp", [False, True])
def test_a_gpu_agrees_with_the_processor(method, amp):
    recipe = at_home(method, Plain)
    on_gpu = context(recipe, device=torch.device("cuda"), amp=amp)
    there = method.unlearn(original(recipe), *sets(method), on_gpu).state_dict()
    close = 0.05 if amp and method.mixed_precision else 1e-4
    for name, tensor in run(method, Plain).state_dict().items():
        assert torch.allclose(tensor, there[name].cpu(), atol=close)
