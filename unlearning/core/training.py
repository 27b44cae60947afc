"""The one gradient-descent loop, used by recipes and by methods alike."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import count as naturals
from typing import TYPE_CHECKING

import torch
from torch import nn

from unlearning.core.examples import count, held, windows
from unlearning.core.modes import evaluating
from unlearning.core.norms import batch_norms
from unlearning.core.order import Plan
from unlearning.core.phase import (
    Objective,
    Phase,
    constant,
    cosine,
    decayed,
    unchanged,
    unseen,
)
from unlearning.core.seeding import derive, reseed
from unlearning.core.weights import trainable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from unlearning.core.examples import Examples, Pair
    from unlearning.core.session import Session

__all__ = ["Objective", "Phase", "constant", "cosine", "decayed", "unchanged", "unseen"]


class LossNotFinite(ArithmeticError):
    """The loss became infinite or not a number."""


class OptimizerHoldsOthers(ValueError):
    """The optimiser does not hold the parameters of the model that is being trained."""


def descend(model: nn.Module, examples: Examples, phase: Phase, session: Session) -> None:
    """Take one step per batch of the plan, in place.

    Each step is seeded by its number, so that what is drawn in it (dropout, augmentation) does
    not depend on the steps before. An empty batch is no step. In a batch of one, batch
    normalisation uses its running statistics, as one example has no variance. The recorder of
    the session may have put a model in a later state, from which the steps then go on.

    Raises:
        Cancelled: the caller asked to stop.
        LossNotFinite: at the first such step, before it moves anything.
        OptimizerHoldsOthers: the optimiser would train something else than ``model``.
    """
    source, recorder = held(examples), session.recorder
    phase = replace(phase, plan=source.arranged(phase.plan))
    _check_optimizer(model, phase.optimizer)
    _set_mode(model, phase)
    total = phase.plan.steps
    first = recorder.begin(model, source, phase)
    for step, batch in enumerate(source.visits(phase.plan, first, session.workers), start=first):
        session.step(phase.name, step, total)
        loss = None
        if batch is not None:
            reseed(derive(phase.plan.seed, "step", step), session.device)
            set_rate(phase.optimizer, phase.rate(step, total))
            loss = _step(model, batch, phase, session, step)
        recorder.after(step, loss)
    recorder.end()
    session.step(phase.name, total, total)


def _set_mode(model: nn.Module, phase: Phase) -> None:
    model.train(phase.training and not phase.only)
    for layer in phase.only:
        layer.train(phase.training)


def _step(model: nn.Module, batch: Pair, phase: Phase, session: Session, step: int) -> float:
    inputs, targets = (tensor.to(session.device) for tensor in batch)
    alone = [each for each in batch_norms(model) if each.training] if len(targets) == 1 else []
    for layer in alone:
        layer.eval()
    phase.optimizer.zero_grad()
    with torch.autocast(session.device.type, torch.bfloat16, enabled=session.mixed):
        loss = phase.objective(phase.augment(inputs), targets)
    value = loss.item()
    check_finite(value, phase.name, step, phase.plan.steps)
    loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
    phase.observe(model)
    phase.optimizer.step()
    for layer in alone:
        layer.train()
    return value


def check_finite(value: float, name: str, step: int, total: int) -> None:
    """Stop on nonsense.

    Raises:
        LossNotFinite: the message names the phase and the step.
    """
    if not math.isfinite(value):
        raise LossNotFinite(
            f"The loss of {name} is {value} at step {step} of {total}; a lower learning rate may "
            f"help."
        )


def set_rate(optimizer: torch.optim.Optimizer, factor: float) -> None:
    """Set the learning rate to a factor on the one that the optimiser was made with."""
    for group in optimizer.param_groups:
        group["lr"] = group.setdefault("initial_lr", group["lr"]) * factor


def _check_optimizer(model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    held_here = {id(weight) for group in optimizer.param_groups for weight in group["params"]}
    if held_here != {id(weight) for weight in trainable(model)}:
        raise OptimizerHoldsOthers(
            "The optimiser must hold exactly the trainable parameters of the model it trains."
        )


def endless(examples: Examples, batch_size: int, seed: int) -> Iterator[Pair]:
    """Yield batches for ever, each epoch in a fresh order; no batch is empty."""
    for epoch in naturals():
        seeded = derive(seed, "cycle", epoch)
        plan = Plan(size=count(examples), batch_size=batch_size, epochs=1, seed=seeded)
        yield from (batch for batch in held(examples).batches(plan) if batch is not None)


@torch.no_grad()
def mean_loss(model: nn.Module, examples: Examples, loss: Objective, session: Session) -> float:
    """Return the mean of ``loss(outputs, targets)`` over a set, in eval mode.

    Raises:
        Cancelled: the caller asked to stop.
    """
    total = 0.0
    steps = windows(count(examples))
    with evaluating(model):
        for step, batch in enumerate(held(examples).batches(steps, session.workers)):
            session.step("mean loss", step, len(steps))
            if batch is not None:
                inputs, targets = (tensor.to(session.device) for tensor in batch)
                total += loss(model(inputs), targets).item() * len(targets)
    return total / count(examples)
