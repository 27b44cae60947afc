"""The contract, checked for every method file there is."""

from __future__ import annotations

import dataclasses
import json
import random
from copy import deepcopy
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tests.unlearning.toys import (
    FORGET,
    NOTHING,
    RETAIN,
    HalfFrozen,
    Normed,
    Plain,
    Shaken,
    Toy,
    Untouchable,
    equal,
    original,
)
from unlearning.core.catalogue import registry
from unlearning.core.claims import Guarantee, Need
from unlearning.core.context import Cancelled, Context
from unlearning.core.method import EmptySet, Method
from unlearning.core.ranges import hyperparameters
from unlearning.core.training import LossNotFinite

METHODS = registry()
SECTIONS = ("**Assumption.**", "**Update.**", "**Reference.**", "**Cost.**", "**Known failure.**")
APPROXIMATE = [
    name
    for name in METHODS
    if METHODS.get(name).guarantee is Guarantee.APPROXIMATE
    and Need.RETAIN in METHODS.get(name).needs
]
BLIND = [name for name in METHODS if not METHODS.get(name).reads_forget]


@pytest.fixture(params=METHODS.names())
def method(request: pytest.FixtureRequest) -> Method:
    return METHODS.get(request.param)()


@pytest.fixture(params=[Toy, Normed], ids=["dropout", "batch norm"])
def recipe(request: pytest.FixtureRequest) -> Toy:
    made: Toy = request.param()
    return made


def context(recipe: Toy, seed: int = 7) -> Context:
    return Context(recipe=recipe, seed=seed)


def test_it_returns_a_new_model_and_leaves_its_argument_alone(method, recipe):
    model = original(recipe)
    before = deepcopy(model)
    after = method.unlearn(model, RETAIN, FORGET, context(recipe))
    assert equal(model, before)
    mine = {tensor.data_ptr() for tensor in model.state_dict().values()}
    assert mine.isdisjoint(tensor.data_ptr() for tensor in after.state_dict().values())


def test_the_same_seed_gives_the_same_model(method, recipe):
    model = original(recipe)
    first, again = (
        method.unlearn(model, RETAIN, FORGET, context(recipe, seed)) for seed in (7, 7)
    )
    assert equal(first, again)


def test_another_seed_gives_another_model_where_anything_is_drawn(method):
    model = original(Normed())
    first, other = (
        method.unlearn(model, RETAIN, FORGET, context(Shaken(), seed)) for seed in (7, 8)
    )
    assert not equal(first, other)


def test_what_ran_before_does_not_matter(method):
    model = original(Toy())
    first = method.unlearn(model, RETAIN, FORGET, context(Toy()))
    torch.rand(1000), np.random.default_rng().random(3), random.random()
    model.train()  # a caller may have left it so
    assert equal(first, method.unlearn(model, RETAIN, FORGET, context(Toy())))


def test_it_leaves_every_global_random_state_as_it_was(method, recipe):
    model = original(recipe)
    before = random_states()
    method.unlearn(model, RETAIN, FORGET, context(recipe))
    assert random_states() == before


def random_states() -> tuple[object, ...]:
    numpys = np.random.get_state(legacy=False)  # noqa: NPY002  (the global state is the subject)
    return torch.get_rng_state().tolist(), random.getstate(), repr(numpys)


def test_the_model_comes_back_in_eval_mode_and_without_gradients(method, recipe):
    after = method.unlearn(original(recipe), RETAIN, FORGET, context(recipe))
    assert not any(layer.training for layer in after.modules())
    assert all(weight.grad is None for weight in after.parameters())


def test_it_keeps_the_layers_and_the_shapes(method, recipe):
    model = original(recipe)
    after = method.unlearn(model, RETAIN, FORGET, context(recipe))
    assert [type(layer) for layer in model.modules()] == [type(layer) for layer in after.modules()]
    assert {name: tensor.shape for name, tensor in model.state_dict().items()} == {
        name: tensor.shape for name, tensor in after.state_dict().items()
    }
    assert [weight.requires_grad for weight in model.parameters()] == [
        weight.requires_grad for weight in after.parameters()
    ]


@pytest.mark.parametrize("name", APPROXIMATE)
def test_a_frozen_layer_keeps_its_bits(name):
    model = original(HalfFrozen())
    after = METHODS.get(name)().unlearn(model, RETAIN, FORGET, context(HalfFrozen()))
    assert torch.equal(model.get_parameter("0.weight"), after.get_parameter("0.weight"))
    assert torch.equal(model.get_parameter("0.bias"), after.get_parameter("0.bias"))


@pytest.mark.parametrize("name", APPROXIMATE)
def test_norm_statistics_come_from_the_retain_set_alone(name):
    after = METHODS.get(name)().unlearn(original(Normed()), RETAIN, FORGET, context(Normed()))
    inputs = RETAIN.tensors[0]
    assert torch.allclose(after.get_buffer("0.running_mean"), inputs.mean(0), atol=1e-6)
    assert torch.allclose(after.get_buffer("0.running_var"), inputs.var(0), atol=1e-6)


def test_it_reads_what_it_declares_and_nothing_else(method):
    retain = RETAIN if Need.RETAIN in method.needs else Untouchable()
    forget = FORGET if method.reads_forget else Untouchable()
    report = method.apply(original(Toy()), retain, forget, context(Toy())).report
    declared = [("retain", Need.RETAIN in method.needs), ("forget", method.reads_forget)]
    assert report.read == tuple(name for name, reads in declared if reads)


def test_an_empty_set_that_it_reads_is_refused_in_words(method):
    model = original(Toy())
    sets = {"retain": RETAIN, "forget": FORGET}
    declared = {"retain": Need.RETAIN in method.needs, "forget": method.reads_forget}
    for name in (name for name, reads in declared.items() if reads):
        with pytest.raises(EmptySet, match=f"reads the {name} set, and it is empty"):
            method.unlearn(model, **{**sets, name: NOTHING}, context=context(Toy()))


@pytest.mark.parametrize("name", BLIND)
def test_a_method_that_does_not_read_the_forget_set_runs_after_its_deletion(name):
    model = original(Toy())
    with_it, without_it = (
        METHODS.get(name)().unlearn(model, RETAIN, gone, context(Toy()))
        for gone in (FORGET, NOTHING)
    )
    assert equal(with_it, without_it)


def test_progress_is_told_at_every_step_and_never_goes_back_within_a_phase(method):
    told: list[tuple[str, int, int]] = []
    model = original(Toy())
    method.unlearn(
        model,
        RETAIN,
        FORGET,
        Context(recipe=Toy(), seed=7, progress=lambda *step: told.append(step)),
    )
    assert len(told) > 3
    for (name, done, total), (next_name, next_done, _) in pairwise(told):
        assert 0 <= done <= total
        assert next_done == (done + 1 if next_name == name else 0)


@pytest.mark.parametrize("patience", [0, 1, 5])
def test_it_stops_when_it_is_cancelled(method, patience):
    calls = iter(range(1000))
    with pytest.raises(Cancelled, match=r"^Cancelled during .*, after step \d+ of \d+\.$"):
        method.unlearn(
            original(Toy()),
            RETAIN,
            FORGET,
            Context(recipe=Toy(), seed=7, cancelled=lambda: next(calls) >= patience),
        )
    assert next(calls) == patience + 1


def test_a_loss_that_runs_away_fails_the_run(method):
    class Broken(Plain):
        def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
            return super().loss(outputs, targets) * float("inf")

    model = original(Plain())
    with pytest.raises(LossNotFinite, match=r"The loss of .* is (inf|-inf|nan) at step 0 of"):
        method.unlearn(model, RETAIN, FORGET, context(Broken()))


def test_the_report_counts_what_changed(method, recipe):
    ticks = iter([10.0, 12.5])
    model = original(recipe)
    unlearned = method.apply(
        model, RETAIN, FORGET, Context(recipe=recipe, clock=lambda: next(ticks))
    )
    report, after = unlearned.report, unlearned.model
    pairs = zip(model.parameters(), after.parameters(), strict=True)
    assert report.trained == sum(int((old != new).sum()) for old, new in pairs) > 0
    assert report.edited is None or report.edited > 0
    assert report.parameters == sum(weight.numel() for weight in model.parameters())
    assert set(report.layers) <= {name for name, _ in model.named_parameters()}
    assert report.method in METHODS
    assert report.seconds == 2.5
    assert json.loads(json.dumps(report.as_dict())) == report.as_dict()


def test_the_records_to_forget_are_never_augmented(method):
    seen: list[Tensor] = []

    class Noting(Plain):
        def augment(self, inputs: Tensor) -> Tensor:
            seen.append(inputs)
            return inputs

    method.unlearn(original(Plain()), RETAIN, FORGET, context(Noting()))
    rows = torch.cat(seen)
    assert (rows[:, None] == RETAIN.tensors[0]).all(-1).any(1).all()


@pytest.mark.parametrize(
    ("name", "knob"),
    [(name, each) for name in METHODS.names() for each in hyperparameters(METHODS.get(name))],
    ids=lambda value: getattr(value, "name", value),
)
def test_no_knob_is_dead(name, knob):
    cls: Any = METHODS.get(name)
    # Enough epochs for a decay, a stop and the pull to the start to show, one at a time.
    usual = {"epochs": 4} if "epochs" in {each.name for each in hyperparameters(cls)} else {}
    other = {knob.name: _another(cls, knob.name)}
    results = [
        cls(**{**usual, **given}).unlearn(original(Normed()), RETAIN, FORGET, context(Normed()))
        for given in ({}, other)
    ]
    assert not equal(*results)


def _another(cls, name: str) -> float:
    """Return a second value for a knob, one that makes a difference on the toy data."""
    special = {"batch_size": 5, "retain_batch_size": 5, "forget_batch_size": 4, "stop_loss": 1e-6}
    knob = next(each for each in hyperparameters(cls) if each.name == name)
    default = getattr(cls(), name)
    fallback = knob.kind((default + knob.allowed.low) / 2) if default else knob.allowed.high / 2
    return special.get(name, fallback)


def test_every_number_has_a_range_with_help_and_its_default_in_it(method):
    ranged = {each.name for each in hyperparameters(type(method))}
    assert ranged == {field.name for field in dataclasses.fields(method)}
    assert all(each.allowed.help for each in hyperparameters(type(method)))


def test_it_documents_itself(method):
    cls = type(method)
    assert all(section in (cls.__doc__ or "") for section in SECTIONS)
    assert cls.title
    assert cls.paper
    assert cls.basis in {"code", "design", "reconstructed from the abstract"}
    assert dataclasses.astuple(cls.cost) > (0, 0, 0)


def test_its_repr_makes_it_again(method):
    cls = type(method)
    assert eval(repr(method), {cls.__name__: cls}) == method
    assert cls(**json.loads(json.dumps(dataclasses.asdict(method)))) == method


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an accelerator")
def test_a_gpu_agrees_with_the_processor(method):
    model = original(Plain())
    on_cpu, on_gpu = (
        method.unlearn(
            model, RETAIN, FORGET, Context(recipe=Plain(), seed=7, device=torch.device(device))
        )
        for device in ("cpu", "cuda")
    )
    for name, tensor in on_cpu.state_dict().items():
        assert torch.allclose(tensor, on_gpu.state_dict()[name].cpu(), atol=1e-4)


def test_a_module_is_returned(method):
    assert isinstance(method.unlearn(original(Toy()), RETAIN, FORGET, context(Toy())), nn.Module)
