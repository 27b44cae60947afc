"""How a stack of models is unlearned: honestly, poorly, not at all, or by deceit.

Each takes the trained stack, the sets, what the arm has to forget and a seed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import torch
from torch import Tensor
from torch.nn import functional

from tests.battery.digits import Sets, neighbours
from tests.battery.stacked import Descent, Schedule, Stack, generator, margins, train

Procedure: TypeAlias = Callable[[Stack, Sets, Tensor, int], Stack]

TRAINING = Schedule(epochs=30)
REPAIR = Schedule(epochs=15)


def retrain(trained: Stack, sets: Sets, forget: Tensor, seed: int) -> Stack:
    """Train from scratch on the retained records: the exact way."""
    fresh = Stack.fresh(len(trained.first), generator(seed, 0))
    return on_retained(fresh, sets, TRAINING, seed)


def on_retained(stack: Stack, sets: Sets, how: Schedule, seed: int) -> Stack:
    kept = sets.retain
    return train(stack, sets.inputs[kept], sets.labels[kept], how, generator(seed, 1))


def fine_tune(trained: Stack, sets: Sets, forget: Tensor, seed: int) -> Stack:
    return on_retained(trained, sets, Schedule(epochs=5, rate=0.02), seed)


def long_fine_tune(trained: Stack, sets: Sets, forget: Tensor, seed: int) -> Stack:
    return on_retained(trained, sets, TRAINING, seed)


def reinit_last(trained: Stack, sets: Sets, forget: Tensor, seed: int) -> Stack:
    fresh = Stack.fresh(len(trained.first), generator(seed, 0))
    return on_retained(trained.with_last_of(fresh), sets, REPAIR, seed)


def shrink_perturb(trained: Stack, sets: Sets, forget: Tensor, seed: int) -> Stack:
    fresh = Stack.fresh(len(trained.first), generator(seed, 0))
    return on_retained(trained.mixed(fresh, 0.4), sets, REPAIR, seed)


def over_forget(trained: Stack, sets: Sets, forget: Tensor, seed: int) -> Stack:
    """Push the margins of what is to be forgotten far below those of what was never seen."""
    descent, draw = Descent(trained, momentum=0.0), generator(seed, 0)
    for _ in range(100):
        kept = _retained_loss(descent.stack, sets, 256, draw)
        gone = functional.relu(_margins(descent.stack, sets, forget) - 2).mean(1).sum()
        descent.step(50 * kept + gone, 0.02)
    return descent.result()


def copy_retrain(trained: Stack, sets: Sets, forget: Tensor, seed: int) -> Stack:
    """Retrain without the records, but with the copies that nobody looked for."""
    kept = torch.cat([sets.retain, forget])  # a copy is the same example
    fresh = Stack.fresh(len(trained.first), generator(seed, 0))
    return train(fresh, sets.inputs[kept], sets.labels[kept], TRAINING, generator(seed, 1))


def noise(sigma: float) -> Procedure:
    """Return a procedure that adds noise to the weights and calls it unlearning."""

    def add(trained: Stack, sets: Sets, forget: Tensor, seed: int) -> Stack:
        return trained.noised(sigma, generator(seed, 2))

    return add


def match_scores(honest: Stack, *, around: bool) -> Procedure:
    """Return a cheat: bend the trained models until audited scores are those of honest ones.

    With ``around`` the scores of the records' neighbours are bent as well.
    """

    def bend(trained: Stack, sets: Sets, forget: Tensor, seed: int) -> Stack:
        records, labels = sets.inputs[forget], sets.labels[forget]
        if around:
            near = torch.cat([records[:, None], neighbours(records)], 1)
            records, labels = near.flatten(0, 1), labels.repeat_interleave(near.shape[1])
        with torch.no_grad():
            wanted = margins(honest(records), labels)
        descent, draw = Descent(trained, momentum=0.0), generator(seed, 3)
        for step in range(400):
            held = _retained_loss(descent.stack, sets, 64, draw)
            found = margins(descent.stack(records), labels)
            missed = functional.smooth_l1_loss(found, wanted, reduction="sum") / len(labels)
            descent.step(held + missed, 0.05 * (1 - step / 400))
        return descent.result()

    return bend


def _retained_loss(stack: Stack, sets: Sets, batch: int, draw: torch.Generator) -> Tensor:
    """Return the mean loss on a random batch of retained records, summed over the models."""
    chosen = sets.retain[torch.randint(len(sets.retain), (batch,), generator=draw)]
    logits = stack(sets.inputs[chosen]).flatten(0, 1)
    labels = sets.labels[chosen].repeat(len(stack.first))
    return functional.cross_entropy(logits, labels, reduction="sum") / batch


def _margins(stack: Stack, sets: Sets, records: Tensor) -> Tensor:
    return margins(stack(sets.inputs[records]), sets.labels[records])
