"""What methods do to the answers: labels drawn by lot, teachers and noise."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field, replace
from math import log
from typing import TYPE_CHECKING

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.utils.data import TensorDataset

from tests.unlearning.answering import CONTEXT, MODEL, SEED, loss_of
from tests.unlearning.toys import (
    CPU,
    FORGET,
    RETAIN,
    WHOLE_CLASS,
    Normed,
    Plain,
    of_classes,
    original,
)
from unlearning.core.claims import NotEligible
from unlearning.core.classes import NotAWholeClass
from unlearning.core.context import Context
from unlearning.core.distillation import divergence
from unlearning.core.method import NothingTouched
from unlearning.core.seeding import isolated
from unlearning.core.session import Session
from unlearning.methods.amnesiac import Amnesiac
from unlearning.methods.bad_teacher import BadTeacher
from unlearning.methods.gradient_ascent import GradientAscent
from unlearning.methods.random_labels import RandomLabels
from unlearning.methods.unsir import Unsir

if TYPE_CHECKING:
    from unlearning.core.method import Method


def clusters(size: int, seed: int) -> TensorDataset:
    """Return records that are easily told apart by class."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(size) % 3
    inputs = torch.randn(size, 4, generator=generator) / 2
    return TensorDataset(inputs + 2 * torch.eye(4)[labels], labels)


CLUSTERS = clusters(60, seed=1)
TRAINED = Plain(epochs=20).train(CLUSTERS, Session(seed=SEED))
TWO_STAY, ONE_GOES = of_classes(CLUSTERS, 0, 1), of_classes(CLUSTERS, 2)


@dataclass(frozen=True, kw_only=True)
class Told(Plain):
    """Notes every label that a model is told."""

    heard: list[Tensor] = field(default_factory=list, repr=False)

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        self.heard.append(targets)
        return super().loss(outputs, targets)


def labels_told(method: Method) -> Tensor:
    """Return, for each epoch, how often each label was told in it: (epochs, classes)."""
    recipe = Told()
    method.unlearn(MODEL, RETAIN, FORGET, Context(recipe=recipe, seed=SEED))
    return torch.stack([each.bincount(minlength=3) for each in recipe.heard])


ONE_BATCH = {"batch_size": 64, "epochs": 40}
KEPT = RETAIN.tensors[1].bincount(minlength=3)


def test_successive_random_labels_are_uniform_and_anew_in_every_epoch():
    drawn = labels_told(RandomLabels(**ONE_BATCH)) - KEPT
    assert (drawn.sum(1) == len(FORGET)).all()
    assert (drawn >= 0).all()
    assert len(drawn.unique(dim=0)) > 10
    # 240 draws of 1/3: 80, with a deviation of 7.3.
    assert all(50 < total < 110 for total in drawn.sum(0).tolist())


def test_amnesiac_labels_are_drawn_once_and_never_true():
    drawn = labels_told(Amnesiac(**ONE_BATCH)) - KEPT
    assert len(drawn.unique(dim=0)) == 1
    only = TensorDataset(FORGET.tensors[0], torch.zeros(len(FORGET), dtype=torch.long))
    recipe = Told()
    Amnesiac(**ONE_BATCH).unlearn(MODEL, RETAIN, only, Context(recipe=recipe, seed=SEED))
    assert all(each.bincount(minlength=3)[0] == KEPT[0] for each in recipe.heard)


def test_an_amnesiac_model_answers_the_records_wrongly():
    after = Amnesiac(learning_rate=0.02, epochs=60).unlearn(MODEL, RETAIN, FORGET, CONTEXT)
    assert loss_of(after, FORGET) > loss_of(MODEL, FORGET) + 1


def test_a_bad_teacher_teaches_what_an_untrained_network_answers():
    with isolated(SEED, CPU):
        untrained = Plain().build()
    method = BadTeacher(learning_rate=0.01, epochs=60, retain_share=1.0)
    after = method.unlearn(TRAINED, TWO_STAY, ONE_GOES, CONTEXT)
    gone, kept = ONE_GOES.tensors[0], TWO_STAY.tensors[0]
    before = divergence(TRAINED(gone), untrained(gone), 1).item()
    assert divergence(after(gone), untrained(gone), 1).item() < before / 4
    assert divergence(after(kept), TRAINED(kept), 1).item() < before / 4


def test_a_divergence_does_not_shrink_with_the_number_of_classes():
    student, teacher = torch.randn(4, 3), torch.randn(4, 3)
    p, q = teacher.softmax(-1), student.softmax(-1)
    found = divergence(student, teacher, 1.0)
    assert torch.allclose(found, (p * (p / q).log()).sum() / 4, atol=1e-6)
    never = torch.full((4, 97), -50.0)  # classes that neither of them considers
    wider = divergence(torch.cat([student, never], 1), torch.cat([teacher, never], 1), 1.0)
    assert torch.allclose(found, wider, atol=1e-6)


def test_gradient_ascent_raises_the_loss_and_leaves_norm_statistics_alone():
    model = original(Normed())
    context = Context(recipe=Normed(), seed=SEED)
    after = GradientAscent(learning_rate=0.05).unlearn(model, RETAIN, FORGET, context)
    assert loss_of(after, FORGET) > loss_of(model, FORGET) + 0.2
    assert all(
        torch.equal(one, other)
        for one, other in zip(model.buffers(), after.buffers(), strict=True)
    )


def test_gradient_ascent_above_its_stop_loss_does_nothing_and_fails():
    with pytest.raises(NothingTouched, match="Gradient ascent changed no parameter"):
        GradientAscent(stop_loss=1e-6).unlearn(MODEL, RETAIN, FORGET, CONTEXT)


def test_gradient_ascent_stops_at_its_stop_loss():
    limit = loss_of(MODEL, FORGET) + 0.05
    method = GradientAscent(learning_rate=0.02, epochs=100, stop_loss=limit)
    done = method.apply(MODEL, RETAIN, FORGET, CONTEXT)
    assert limit <= loss_of(done.model, FORGET) < limit + 0.3
    assert done.report.stop_reason.startswith(f"the forget set reached the loss {limit} after ")


def test_unsir_impairs_with_noise_in_place_of_the_class_and_repairs_without_it():
    retain, forget = WHOLE_CLASS
    recipe = Told()
    method = Unsir(noise_records=8, noise_steps=5, copies=3, per_class=4)
    method.unlearn(MODEL, retain, forget, replace(CONTEXT, recipe=recipe))
    noise, passes = recipe.heard[:5], recipe.heard[5:]
    assert all((each == 2).all() for each in noise)
    assert [each.bincount(minlength=3).tolist() for each in passes] == [[4, 4, 24], [4, 4, 0]]


def test_unsir_refuses_single_records_though_one_of_its_classes_was_never_trained():
    class Wider(Plain):
        def build(self) -> nn.Module:
            return nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 4))

    recipe = Wider(targets=("a", "b", "c", "d"))
    single = Context(recipe=recipe, seed=SEED)
    with pytest.raises(NotAWholeClass, match="The request names no class"):
        Unsir().unlearn(recipe.build(), RETAIN, FORGET, single)


def test_unsir_learns_noise_that_is_no_record_of_the_class():
    method = Unsir(noise_records=16, noise_steps=40, noise_l2=0.0)
    with isolated(SEED, CPU):
        noise = method._noise(deepcopy(TRAINED), torch.zeros(4), 2, CONTEXT)
    labels = torch.full((16,), 2)
    assert cross_entropy(TRAINED(noise), labels) > log(3) + 2


def test_unsir_refuses_inputs_that_are_no_continuous_numbers():
    retain, forget = WHOLE_CLASS
    whole_numbers = TensorDataset(retain.tensors[0].long(), retain.tensors[1])
    with pytest.raises(NotEligible, match=r"moves inputs by small steps, and these hold torch\.i"):
        Unsir().unlearn(nn.Sequential(nn.Linear(4, 3)), whole_numbers, forget, CONTEXT)
