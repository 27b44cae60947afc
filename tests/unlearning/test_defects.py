"""Regression tests for defects found in published unlearning code, and for our own guards."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import pytest
import torch
from torch import nn

from tests.unlearning.toys import (
    CPU,
    FORGET,
    RETAIN,
    Normed,
    Plain,
    Toy,
    examples,
    history,
    original,
)
from unlearning.core import norms
from unlearning.core.claims import Cost, Guarantee, Need
from unlearning.core.context import Context
from unlearning.core.examples import SetNotDeclared, count
from unlearning.core.method import (
    EmptySet,
    Method,
    NothingTouched,
    Outcome,
    SettingRefused,
    WeightsNotFinite,
)
from unlearning.core.norms import TooFewForNorms
from unlearning.core.order import Plan
from unlearning.core.ranges import OutOfRange
from unlearning.core.session import Session
from unlearning.core.training import OptimizerHoldsOthers, Phase, descend
from unlearning.core.weights import NothingTrainable, Touched, frozen_copy, sgd
from unlearning.methods.finetune import Finetune
from unlearning.methods.neggrad_plus import NegGradPlus
from unlearning.methods.scrub import Scrub

if TYPE_CHECKING:
    from collections.abc import Callable

CONTEXT = Context(recipe=Plain(), seed=1)


@dataclass(frozen=True, kw_only=True)
class Bare(Method):
    """Does to the model what it is told, and says of it what it is told."""

    title: ClassVar[str] = "Bare"
    paper: ClassVar[str] = "none"
    basis: ClassVar[str] = "design"
    guarantee: ClassVar[Guarantee] = Guarantee.APPROXIMATE
    reads_forget: ClassVar[bool] = False
    cost: ClassVar[Cost] = Cost()

    act: Callable[..., object]
    edited: int | None = None

    def _unlearn(self, model, retain, forget, context):
        self.act(model, forget)
        return Outcome(model=model, stop_reason="done", edited=self.edited)


def run(act: Callable[..., object], edited: int | None = None) -> nn.Module:
    return Bare(act=act, edited=edited).unlearn(original(Plain()), RETAIN, FORGET, CONTEXT)


def shift(model: nn.Module, _forget: object) -> None:
    model.get_parameter("0.bias").data += 1


def test_a_method_that_touches_nothing_fails():
    with pytest.raises(NothingTouched, match=r"^Bare changed no parameter of the model, so"):
        run(lambda *_: None)


def test_a_method_whose_own_step_touches_nothing_fails_even_if_it_fine_tunes():
    with pytest.raises(NothingTouched, match="changed no parameter of the model in its own step"):
        run(shift, edited=0)
    assert run(shift, edited=8) is not None


def test_a_weight_that_is_not_finite_fails():
    def spoil(model: nn.Module, _forget: object) -> None:
        model.get_parameter("2.weight").data[0, 0] = float("nan")

    with pytest.raises(WeightsNotFinite, match=r"Bare left 2\.weight with a value"):
        run(spoil)


@pytest.mark.parametrize("peek", [lambda forget: forget[0], count], ids=["read", "count"])
def test_a_method_that_reads_what_it_does_not_declare_is_stopped(peek):
    with pytest.raises(
        SetNotDeclared, match="Bare read the forget set, which it does not declare"
    ):
        run(lambda _model, forget: peek(forget))


def test_a_method_is_not_given_validation_records_that_it_does_not_declare():
    held_out = replace(CONTEXT, validation=RETAIN)

    class Peeking(Bare):
        def _unlearn(self, model, retain, forget, context):
            return self.act(context.validation)

    with pytest.raises(SetNotDeclared, match="Bare read the validation set, which it does not"):
        Peeking(act=len).unlearn(original(Plain()), RETAIN, FORGET, held_out)


def test_a_method_that_declares_validation_records_must_be_given_some():
    class Needing(Bare):
        needs = frozenset({Need.RETAIN, Need.VALIDATION})

        def _unlearn(self, model, retain, forget, context):
            self.act(model, context.validation)
            return Outcome(model=model, stop_reason="done")

    with pytest.raises(EmptySet, match="Bare reads the validation set, and it is empty"):
        Needing(act=shift).unlearn(original(Plain()), RETAIN, FORGET, CONTEXT)
    told = Needing(act=lambda model, held_out: shift(model, held_out[0])).apply(
        original(Plain()), RETAIN, FORGET, replace(CONTEXT, validation=FORGET)
    )
    assert told.report.read == ("validation",)


def test_a_method_sees_no_state_of_the_training_that_it_does_not_declare():
    seen = []

    class Asking(Bare):
        def _unlearn(self, model, retain, forget, context):
            seen.append(context.history)
            self.act(model, None)
            return Outcome(model=model, stop_reason="done")

    class Declaring(Asking):
        needs = frozenset({Need.RETAIN, Need.CHECKPOINTS})

    kept = history(Plain())
    for cls in (Asking, Declaring):
        cls(act=shift).unlearn(original(Plain()), RETAIN, FORGET, replace(CONTEXT, history=kept))
    assert seen == [None, kept]


@pytest.mark.parametrize("declares", [True, False])
def test_mixed_precision_reaches_a_method_only_if_it_allows_it(declares):
    class Asking(Bare):
        mixed_precision = declares

        def _unlearn(self, model, retain, forget, context):
            assert context.amp is declares
            self.act(model, None)
            return Outcome(model=model, stop_reason="done")

    Asking(act=shift).unlearn(original(Plain()), RETAIN, FORGET, replace(CONTEXT, amp=True))


def test_mixed_precision_is_for_accelerators():
    assert Session(amp=True, device=torch.device("cuda")).mixed
    assert not Session(amp=True).mixed
    assert not Session(device=torch.device("cuda")).mixed


def test_a_step_too_small_to_move_a_weight_is_no_unlearning():
    model = original(Plain())
    model.get_parameter("0.weight").data *= 1e12
    model.get_parameter("0.bias").data *= 1e12
    model.get_parameter("2.weight").data *= 1e9
    model.get_parameter("2.bias").data.fill_(1e9)
    with pytest.raises(NothingTouched):
        Finetune(learning_rate=1e-5, weight_decay=0.0, epochs=1).unlearn(
            model, RETAIN, FORGET, CONTEXT
        )


@pytest.mark.parametrize("method", [Finetune(), NegGradPlus(), Scrub()], ids=repr)
def test_a_model_without_trainable_parameters_is_refused(method):
    model = original(Plain()).requires_grad_(requires_grad=False)
    with pytest.raises(NothingTrainable, match="Sequential has no trainable parameter"):
        method.unlearn(model, RETAIN, FORGET, CONTEXT)


def test_a_teacher_shares_no_storage_with_its_student():
    student = original(Normed()).train()
    teacher = frozen_copy(student)
    mine = {tensor.data_ptr() for tensor in student.state_dict().values()}
    assert mine.isdisjoint(tensor.data_ptr() for tensor in teacher.state_dict().values())
    assert not any(layer.training for layer in teacher.modules())
    assert all(layer.training for layer in student.modules())
    assert not any(weight.requires_grad for weight in teacher.parameters())
    assert all(weight.requires_grad for weight in student.parameters())


@pytest.mark.parametrize(
    "weights",
    [
        lambda _: original(Plain()).parameters(),
        lambda model: list(model.parameters())[1:],
        lambda model: [*model.parameters(), nn.Parameter(torch.ones(1))],
    ],
    ids=["of the teacher", "too few", "too many"],
)
def test_an_optimiser_of_other_parameters_is_refused(weights):
    model = original(Plain())
    phase = Phase(
        name="x",
        plan=Plan(size=4, batch_size=2, epochs=1, seed=0),
        objective=lambda inputs, _: model(inputs).sum(),
        optimizer=torch.optim.SGD(weights(model), lr=0.1),
    )
    with pytest.raises(OptimizerHoldsOthers, match="exactly the trainable parameters"):
        descend(model, RETAIN, phase, Session())


def test_scrub_without_a_pass_over_the_forget_set_is_refused():
    with pytest.raises(
        OutOfRange, match=r"^Scrub\.msteps is 0, outside \[1, 100\] \(searched from 2\)\.$"
    ):
        Scrub(msteps=0)


def test_scrub_with_one_pass_on_a_deterministic_model_says_that_it_did_nothing():
    with pytest.raises(NothingTouched, match="SCRUB changed no parameter of the model in its own"):
        Scrub(msteps=1).unlearn(original(Plain()), RETAIN, FORGET, CONTEXT)
    context = Context(recipe=Toy(), seed=1)
    with_dropout = Scrub(msteps=1).apply(original(Toy()), RETAIN, FORGET, context)
    assert with_dropout.report.edited


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Scrub(msteps=6), r"Scrub\.msteps is 6, more than the 5 epochs there are\."),
        (lambda: Scrub(gamma=0, alpha=0), r"gamma and Scrub\.alpha are both 0; raise one"),
        (lambda: NegGradPlus(alpha=1), "gives the forget set no weight: that is fine-tuning"),
    ],
    ids=["msteps", "no objective", "alpha"],
)
def test_settings_that_make_another_method_are_refused(make, sentence):
    with pytest.raises(SettingRefused, match=sentence):
        make()


@pytest.mark.parametrize(
    ("cls", "name", "value"),
    [(Scrub, "temperature", 0), (Finetune, "epochs", 0), (Finetune, "learning_rate", 0.0)],
)
def test_degenerate_numbers_are_refused(cls, name, value):
    with pytest.raises(OutOfRange, match=rf"^{cls.__name__}\.{name} is {value}, outside"):
        cls(**{name: value})


def test_rounding_is_no_touch():
    model = nn.Linear(2, 1)
    touched = Touched(model)
    model.weight.grad = torch.tensor([[1e-9, 1e-3]])
    touched.note(model)
    assert touched.total() == 1
    model.weight.grad = torch.tensor([[1e-2, 0.0]])
    touched.note(model)
    assert touched.total() == 2


def test_norm_statistics_weigh_every_record_alike_when_batches_fall_short():
    data = examples(257, seed=8)
    model = Normed().build()
    norms.recompute(model, data, Session(device=CPU), lambda inputs: inputs)
    halves = data.tensors[0][:128], data.tensors[0][128:]
    mean = (halves[0].mean(0) + halves[1].mean(0)) / 2
    assert torch.allclose(model.get_buffer("0.running_mean"), mean, atol=1e-6)
    assert model.get_buffer("0.num_batches_tracked") == 2
    assert model.get_submodule("0").momentum == 0.1
    assert not any(layer.training for layer in model.modules())


def test_norm_statistics_of_one_record_are_refused():
    with pytest.raises(
        TooFewForNorms, match=r"1 batch normalisation layers, whose .* there are 1"
    ):
        norms.recompute(Normed().build(), examples(1, seed=0), Session(), lambda inputs: inputs)


def test_sgd_moves_the_trainable_parameters_only():
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    model[0].requires_grad_(requires_grad=False)
    held = sgd(model, learning_rate=0.1, momentum=0, weight_decay=0).param_groups[0]["params"]
    assert [id(weight) for weight in held] == [id(weight) for weight in model[1].parameters()]
