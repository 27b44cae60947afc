"""Losses record by record, and weighed by how rare their label is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.func import vmap

from unlearning.core.examples import labels_of

if TYPE_CHECKING:
    from torch import Tensor

    from unlearning.core.context import Context
    from unlearning.core.examples import Examples
    from unlearning.core.training import Objective


def losses_of(loss: Objective, outputs: Tensor, targets: Tensor) -> Tensor:
    """Return the loss of each record, (n,), where ``loss`` is a mean over a batch."""

    def each(output: Tensor, target: Tensor) -> Tensor:
        return loss(output[None], target[None])

    return vmap(each)(outputs, targets)


def balanced(examples: Examples, power: float, context: Context) -> Objective:
    """Return the recipe's loss with each record weighed by (records of its label)^-power.

    The weights of a batch add up to one. Weights on an average that is taken already would only
    rescale it.
    """
    loss = context.recipe.loss
    if power == 0:
        return loss
    counts = labels_of(examples).bincount(minlength=len(context.recipe.targets))
    weights = counts.clamp(min=1).float().pow(-power).to(context.device)

    def weighed(outputs: Tensor, targets: Tensor) -> Tensor:
        shares = weights[targets] / weights[targets].sum()
        return torch.dot(shares, losses_of(loss, outputs, targets).float())

    return weighed
