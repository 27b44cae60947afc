"""How much the loss of each record depends on each weight."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from unlearning.core.examples import count, windows
from unlearning.core.gradients import chunk, per_record, visits
from unlearning.core.modes import evaluating
from unlearning.core.training import check_finite
from unlearning.core.weights import trainable

if TYPE_CHECKING:
    from torch import Tensor, nn

    from unlearning.core.examples import Examples
    from unlearning.core.session import Session
    from unlearning.core.training import Objective


def importance(
    model: nn.Module,
    examples: Examples,
    loss: Objective,
    session: Session,
    *,
    name: str,
    power: int,
) -> list[Tensor]:
    """Return the sum over records of |gradient|^power, a tensor per trainable parameter.

    Gradients are taken record by record: those of a batch would depend on its size.

    Raises:
        LossNotFinite: at the first such batch.
    """
    total = [torch.zeros_like(weight) for weight in trainable(model)]
    size = chunk(model)
    steps = len(windows(count(examples), size))
    with evaluating(model):
        gradients_of = per_record(model, loss)
        for step, (inputs, targets) in enumerate(visits(examples, session, name, size)):
            gradients, losses = gradients_of(inputs, targets)
            check_finite(losses.sum().item(), name, step, steps)
            for so_far, each in zip(total, gradients, strict=True):
                so_far.add_(each.abs().pow(power).sum(0))
    return total
