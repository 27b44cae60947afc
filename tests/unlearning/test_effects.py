"""What the steps that set methods apart select, teach and augment, worked out beside them."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.utils.data import TensorDataset

from tests.unlearning.by_hand import SEED
from tests.unlearning.toys import (
    CPU,
    FORGET,
    RETAIN,
    WHOLE_CLASS,
    Filters,
    Normed,
    Plain,
    original,
)
from unlearning.core.context import Context
from unlearning.core.seeding import isolated
from unlearning.core.session import Session
from unlearning.methods.amun import Amun
from unlearning.methods.aru import AttackAndReset
from unlearning.methods.finetune import Finetune
from unlearning.methods.lfssd import LossFreeDampening
from unlearning.methods.unsir import Unsir

INPUTS, LABELS = RETAIN.tensors
BARELY: dict[str, Any] = {"learning_rate": 1e-5, "weight_decay": 0.0, "epochs": 1}


def sensitivities(model: nn.Module, inputs: Tensor) -> list[Tensor]:
    """Return the sum over records of |gradient of the squared length of the answer|."""
    total = [torch.zeros_like(weight) for weight in model.parameters()]
    for each in inputs:
        length = (model(each[None]) ** 2).sum()
        slopes = torch.autograd.grad(length, list(model.parameters()))
        for so_far, slope in zip(total, slopes, strict=True):
            so_far.add_(slope.abs())
    return total


def test_lfssd_shrinks_by_how_much_more_the_length_of_the_answers_depends_on_a_weight():
    model = original(Plain())
    method = LossFreeDampening(alpha=1.2, dampening=0.9)
    done = method.unlearn(model, RETAIN, FORGET, Context(recipe=Plain(), seed=SEED))
    goes, stays = sensitivities(model, FORGET.tensors[0]), sensitivities(model, INPUTS)
    shrunk = 0
    for weight, after, of_gone, of_kept in zip(
        model.parameters(), done.parameters(), goes, stays, strict=True
    ):
        here, all_ = of_gone / 6, (of_gone + of_kept) / 27
        factor = torch.where(here > 1.2 * all_, 0.9 * all_ / here, 1.0)
        shrunk += int((factor < 1).sum())
        assert torch.allclose(after, weight * factor, atol=1e-6)
    assert 5 < shrunk < 60


def attacked(method: AttackAndReset, model: nn.Module, *, worse: bool = True) -> Tensor:
    """Return the forget set under noise that makes its loss worse, or better."""
    inputs, labels = FORGET.tensors
    with isolated(SEED, CPU):
        noise = (0.1 * torch.randn(inputs.shape)).requires_grad_()
    optimizer = torch.optim.Adam([noise], lr=method.noise_rate)
    for _ in range(method.noise_steps):
        optimizer.zero_grad()
        loss = cross_entropy(model(inputs + noise), labels)
        (method.noise_l2 * (noise**2).sum(1).mean() + (-loss if worse else loss)).backward()
        optimizer.step()
    return (inputs + noise).detach()


def quieter(method: AttackAndReset, model: nn.Module, blurred: Tensor) -> list[int]:
    """Return the filters that answer most to the forget set as it is, beside the blurred one."""
    seen, other = (
        model.get_submodule("1")(each.view(-1, 1, 2, 2)).abs().mean((0, 2, 3))
        for each in (FORGET.tensors[0], blurred)
    )
    return sorted((seen / other).topk(round(12 * method.filter_share)).indices.tolist())


def test_aru_starts_those_filters_anew_that_answer_less_to_a_forget_set_under_attack():
    model = original(Filters())
    method = AttackAndReset(**BARELY, filter_share=0.4, noise_l2=0.3, noise_steps=20)
    wanted = quieter(method, model, attacked(method, deepcopy(model)))
    assert wanted != quieter(method, model, attacked(method, deepcopy(model), worse=False))
    after = method.unlearn(model, RETAIN, FORGET, Context(recipe=Filters(), seed=SEED))
    old, new = (each.get_parameter("1.weight").flatten(1) for each in (model, after))
    assert ((new - old).abs().max(1).values > 1e-3).nonzero().flatten().tolist() == wanted


@dataclass(frozen=True, kw_only=True)
class Told(Plain):
    """Notes every label that a model is told while it is trained."""

    heard: list[Tensor] = field(default_factory=list, repr=False)

    def build(self) -> nn.Module:
        return nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, len(self.targets)))

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        self.heard.append(targets)
        return super().loss(outputs, targets)


@pytest.mark.parametrize("label", [0, 1])
def test_amun_teaches_the_label_that_a_record_does_not_have(label):
    # Of two answers the wrong one is known, whether an attack led to it or the model erred.
    recipe = Told(targets=("a", "b"))
    retain = TensorDataset(INPUTS, LABELS.clamp(max=1))
    forget = TensorDataset(FORGET.tensors[0], torch.full((6,), label))
    model = recipe.train(retain, Session(seed=SEED))
    recipe.heard.clear()
    method = Amun(epochs=1, batch_size=64, attack_steps=10)
    method.unlearn(model, retain, forget, Context(recipe=recipe, seed=SEED))
    taught = recipe.heard[-1].bincount(minlength=2) - retain.tensors[1].bincount(minlength=2)
    assert taught.tolist() == [6 * label, 6 * (1 - label)]


def test_unsir_augments_what_stays_when_it_impairs_and_when_it_repairs():
    phases: list[str] = []
    seen: dict[str, int] = {}

    class Noting(Plain):
        def augment(self, inputs: Tensor) -> Tensor:
            seen[phases[-1]] = seen.get(phases[-1], 0) + len(inputs)
            return inputs

    context = Context(
        recipe=Noting(), seed=SEED, classes=("c",), progress=lambda name, *_: phases.append(name)
    )
    method = Unsir(noise_records=8, noise_steps=5, copies=2, per_class=4)
    method.unlearn(original(Plain()), *WHOLE_CLASS, context)
    assert seen == {"impair": 8, "repair": 8}


def test_norm_statistics_are_taken_from_inputs_augmented_as_in_training():
    class Moved(Normed):
        def augment(self, inputs: Tensor) -> Tensor:
            return 3 * inputs + 2

    context = Context(recipe=Moved(), seed=SEED)
    after = Finetune(epochs=1).unlearn(original(Normed()), RETAIN, FORGET, context)
    assert torch.allclose(after.get_buffer("0.running_mean"), 3 * INPUTS.mean(0) + 2, atol=1e-5)
    assert torch.allclose(after.get_buffer("0.running_var"), 9 * INPUTS.var(0), atol=1e-4)
