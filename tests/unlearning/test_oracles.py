"""Each approximate method beside a plain loop that follows its formula with numbers in hand."""

from __future__ import annotations

import math
from copy import deepcopy
from typing import TYPE_CHECKING

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from tests.unlearning.by_hand import SEED, ByHand, batches, close, cosine
from tests.unlearning.toys import CPU, FORGET, RETAIN, Plain, equal, original
from unlearning.core.context import Context
from unlearning.core.order import Plan
from unlearning.core.seeding import derive, reseed
from unlearning.methods.fcs import ForgetContrastStrengthen
from unlearning.methods.finetune import Finetune
from unlearning.methods.l1_sparse import L1Sparse
from unlearning.methods.neggrad_plus import NegGradPlus
from unlearning.methods.noisy_finetune import NoisyFinetune
from unlearning.methods.scrub import Scrub

if TYPE_CHECKING:
    from collections.abc import Callable

CONTEXT = Context(recipe=Plain(), seed=SEED)
MODEL = original(Plain())


def finetune_by_hand(method: Finetune, model: nn.Module) -> nn.Module:
    hand = ByHand(model, momentum=method.momentum, weight_decay=method.weight_decay)
    plan = Plan(
        size=len(RETAIN),
        batch_size=method.batch_size,
        epochs=method.epochs,
        seed=derive(SEED, "retain"),
    )
    for step, chosen in enumerate(plan):
        inputs, targets = RETAIN.tensors[0][chosen], RETAIN.tensors[1][chosen]
        loss = cross_entropy(model(inputs), targets) + method.l2_to_init / 2 * hand.pull()
        rate = method.learning_rate * (1 + math.cos(math.pi * step / plan.steps)) / 2
        hand.step(loss, rate)
    return model


def neggrad_by_hand(method: NegGradPlus, model: nn.Module) -> nn.Module:
    hand = ByHand(model, momentum=method.momentum, weight_decay=method.weight_decay)
    forget = (batch for epoch in range(1000) for batch in _cycled(method.batch_size, epoch))
    for epoch in range(method.epochs):
        for inputs, targets in batches(RETAIN, method.batch_size, "retain", epoch):
            gone, labels = next(forget)
            keep = cross_entropy(model(inputs), targets) + method.l2_to_init / 2 * hand.pull()
            loss = method.alpha * keep
            loss = loss - (1 - method.alpha) * cross_entropy(model(gone), labels)
            hand.step(loss, method.learning_rate)
    return model


def _cycled(batch_size: int, epoch: int) -> list[tuple[Tensor, Tensor]]:
    seed = derive(derive(SEED, "forget"), "cycle", epoch)
    plan = Plan(size=len(FORGET), batch_size=batch_size, epochs=1, seed=seed)
    return [(FORGET.tensors[0][chosen], FORGET.tensors[1][chosen]) for chosen in plan]


def scrub_by_hand(method: Scrub, model: nn.Module) -> nn.Module:
    teacher = deepcopy(model)
    hand = ByHand(model, momentum=method.momentum, weight_decay=method.weight_decay)

    def divergence(inputs: Tensor) -> Tensor:
        p: Tensor = (teacher(inputs) / method.temperature).softmax(-1).detach()
        q: Tensor = (model(inputs) / method.temperature).softmax(-1)
        return method.temperature**2 * (p * (p / q).log()).sum() / len(inputs)

    for epoch in range(1, method.epochs + 1):
        decays = (method.epochs / 2, 0.8 * method.epochs, 0.9 * method.epochs)
        rate = method.learning_rate * 0.1 ** len([each for each in decays if epoch > each])
        if epoch <= method.msteps:
            for inputs, _ in batches(FORGET, method.forget_batch_size, "forget", epoch - 1):
                hand.step(-divergence(inputs), rate)
        for inputs, targets in batches(RETAIN, method.retain_batch_size, "retain", epoch - 1):
            labels = cross_entropy(model(inputs), targets)
            hand.step(method.gamma * labels + method.alpha * divergence(inputs), rate)
    return model


def noisy_by_hand(method: NoisyFinetune, model: nn.Module) -> nn.Module:
    hand = ByHand(model, momentum=method.momentum, weight_decay=method.weight_decay)
    seed = derive(SEED, "retain")
    plan = Plan(size=len(RETAIN), batch_size=method.batch_size, epochs=method.epochs, seed=seed)
    for step, chosen in enumerate(plan):
        inputs, targets = RETAIN.tensors[0][chosen], RETAIN.tensors[1][chosen]
        reseed(derive(seed, "step", step), CPU)
        rate = method.learning_rate * cosine(step, plan.steps)
        hand.step(cross_entropy(model(inputs), targets), rate, method.variance**0.5)
    return model


def l1_by_hand(method: L1Sparse, model: nn.Module) -> nn.Module:
    hand = ByHand(model, momentum=method.momentum, weight_decay=method.weight_decay)
    order, loud = derive(SEED, "retain"), method.epochs - method.quiet
    steps = -(-len(RETAIN) // method.batch_size)
    for epoch in range(method.epochs):
        share = method.first + (method.last - method.first) * epoch / loud
        penalty = method.alpha * share if epoch < loud else 0.0
        seed = derive(order, epoch)
        plan = Plan(size=len(RETAIN), batch_size=method.batch_size, epochs=1, seed=seed)
        for step, chosen in enumerate(plan):
            inputs, targets = RETAIN.tensors[0][chosen], RETAIN.tensors[1][chosen]
            size = torch.stack([weight.abs().sum() for weight in hand.weights]).sum()
            loss = cross_entropy(model(inputs), targets) + penalty * size
            rate = cosine(epoch * steps + step, method.epochs * steps)
            hand.step(loss, method.learning_rate * rate)
    return model


def fcs_by_hand(method: ForgetContrastStrengthen, model: nn.Module) -> nn.Module:
    def optimiser(weight_decay: float = 0.0) -> ByHand:
        return ByHand(model, momentum=method.momentum, weight_decay=weight_decay)

    doubting, contrasting, strengthening = optimiser(), optimiser(), optimiser(method.weight_decay)
    size = method.batch_size
    for inputs, _ in batches(FORGET, size, "uniform"):
        shares = model(inputs).softmax(-1)
        uniform = torch.full_like(shares, 1 / 3)
        apart = (uniform * (uniform / shares).log()).sum(-1).mean()
        doubting.step(apart, method.uniform_rate)
    pairs = -(-len(FORGET) // size)
    beside = (batch for epoch in range(1000) for batch in _around(size, epoch))
    for epoch in range(method.epochs):
        for step, (inputs, _) in enumerate(batches(FORGET, size, "forget", epoch, nested=True)):
            alike = model(inputs) @ model(next(beside)).detach().T / method.temperature
            rate = cosine(epoch * pairs + step, method.epochs * pairs)
            rate = method.floor + (method.contrast_rate - method.floor) * rate
            contrasting.step(-alike.log_softmax(-1).mean(), rate)
        for inputs, targets in batches(RETAIN, size, "retain", epoch, nested=True):
            loss = cross_entropy(model(inputs), targets)
            strengthening.step(loss, method.learning_rate * size / 64)
    return model


def _around(batch_size: int, epoch: int) -> list[Tensor]:
    seed = derive(derive(SEED, "beside"), "cycle", epoch)
    plan = Plan(size=len(RETAIN), batch_size=batch_size, epochs=1, seed=seed)
    return [RETAIN.tensors[0][chosen] for chosen in plan]


CASES: list[tuple[object, Callable[..., nn.Module]]] = [
    (Finetune(batch_size=8, l2_to_init=0.3), finetune_by_hand),
    (Finetune(batch_size=4, epochs=2, weight_decay=0.01), finetune_by_hand),
    (NegGradPlus(batch_size=4, l2_to_init=0.2, alpha=0.8), neggrad_by_hand),
    (NegGradPlus(alpha=0.0, weight_decay=0.01, epochs=3), neggrad_by_hand),
    (Scrub(learning_rate=0.05, retain_batch_size=8, forget_batch_size=4), scrub_by_hand),
    (NoisyFinetune(batch_size=8, variance=1e-3), noisy_by_hand),
    (L1Sparse(batch_size=8, epochs=4, quiet=1, alpha=0.01, last=0.5), l1_by_hand),
    (L1Sparse(epochs=6, first=0, last=2, alpha=0.01, learning_rate=0.05), l1_by_hand),
    (ForgetContrastStrengthen(batch_size=4, contrast_rate=0.1, floor=0.01), fcs_by_hand),
    (Scrub(learning_rate=0.1, gamma=0.2, alpha=1.0, temperature=4.0, msteps=5), scrub_by_hand),
]


@pytest.mark.parametrize(("method", "by_hand"), CASES, ids=lambda value: type(value).__name__)
def test_a_method_is_its_formula(method, by_hand):
    after = method.unlearn(MODEL, RETAIN, FORGET, CONTEXT)
    assert not close(after, MODEL, 1e-3)
    assert close(after, by_hand(method, deepcopy(MODEL)))


def test_neggrad_plus_with_hardly_any_weight_on_the_forget_set_is_fine_tuning_on_the_rest():
    # One full batch: order does not matter, and a cosine starts at the whole learning rate.
    whole_set = len(RETAIN)
    tuned = Finetune(epochs=1, learning_rate=0.05, batch_size=whole_set, weight_decay=0.0)
    climbing = NegGradPlus(alpha=1 - 1e-9, epochs=1, learning_rate=0.05, batch_size=whole_set)
    one, other = (each.unlearn(MODEL, RETAIN, FORGET, CONTEXT) for each in (tuned, climbing))
    assert not close(one, MODEL, 1e-3)
    assert close(one, other)


def test_neggrad_plus_raises_the_loss_on_the_forget_set_and_holds_the_other():
    after = NegGradPlus(alpha=0.6, learning_rate=0.05).unlearn(MODEL, RETAIN, FORGET, CONTEXT)
    tuned = Finetune(learning_rate=0.05).unlearn(MODEL, RETAIN, FORGET, CONTEXT)
    assert _loss(after, FORGET) > max(_loss(MODEL, FORGET), _loss(tuned, FORGET)) + 0.1
    assert _loss(after, RETAIN) < _loss(MODEL, RETAIN)


def test_neggrad_plus_stops_after_the_epoch_that_reaches_its_stop_loss():
    limit = _loss(MODEL, FORGET) + 0.5
    method = NegGradPlus(alpha=0.2, learning_rate=0.02, epochs=50, stop_loss=limit)
    told: list[str] = []
    watching = Context(recipe=Plain(), seed=SEED, progress=lambda phase, *_: told.append(phase))
    unlearned = method.apply(MODEL, RETAIN, FORGET, watching)
    last = [name for name in told if name != "mean loss"][-1]
    assert last != "epoch 50 of 50"
    assert unlearned.report.stop_reason == f"the forget set reached the loss {limit} after {last}"
    assert _loss(unlearned.model, FORGET) >= limit
    shorter = NegGradPlus(alpha=0.2, learning_rate=0.02, epochs=int(last.split()[1]) - 1 or 1)
    assert _loss(shorter.unlearn(MODEL, RETAIN, FORGET, CONTEXT), FORGET) < limit


def test_scrub_is_not_fine_tuning():
    # The failure of a teacher that shares storage with its student: both divergences are zero.
    method = Scrub(learning_rate=0.05)
    without = Scrub(learning_rate=0.05, alpha=0.0)
    after, weaker = (each.unlearn(MODEL, RETAIN, FORGET, CONTEXT) for each in (method, without))
    assert not equal(after, weaker)


def _loss(model: nn.Module, data) -> float:
    return cross_entropy(model(data.tensors[0]), data.tensors[1]).item()
