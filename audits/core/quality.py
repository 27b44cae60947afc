"""How much worse a model became, and how much of that may be chance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn import functional
from torch.utils.data import DataLoader

from audits.core.features import Outputs
from audits.core.scores import evaluating

if TYPE_CHECKING:
    from typing import TypeAlias

    from numpy.typing import NDArray
    from torch import nn

    from unlearning.core.examples import Examples

    Flags: TypeAlias = NDArray[np.bool_]

ONE_SIDED = 1.645  # standard normal quantile, 95 %


class NoGradient(RuntimeError):
    """The model's answers do not follow from its inputs by differentiable steps."""


@dataclass(frozen=True, kw_only=True)
class Paired:
    """Accuracies of two models on the same n records, and the sampling error of the difference."""

    before: float
    after: float
    noise: float


def paired(before: Flags, after: Flags) -> Paired:
    """Return the accuracies of two models on the same records.

    ``noise`` is 1.645 standard errors of the mean difference (of McNemar's discordant pairs): a
    fall by less than it happens by chance once in twenty times to models that are equally good.
    """
    lost = before.astype(np.float64) - after
    error = lost.std(ddof=1) / np.sqrt(len(lost)) if len(lost) > 1 else 1.0
    return Paired(
        before=float(before.mean()), after=float(after.mean()), noise=float(ONE_SIDED * error)
    )


def outputs_under_attack(
    model: nn.Module, examples: Examples, step: float, batch_size: int = 512
) -> Outputs:
    """Return a classifier's outputs on inputs moved by ``step`` in the direction that hurts most.

    One step of the sign of the gradient (Goodfellow, Shlens and Szegedy, ICLR 2015), on the
    processor, in evaluation mode. ``step`` is in the units of the inputs.

    Raises:
        NoGradient: the model is not differentiable in its inputs.
    """
    logits, labels = [], []
    loader = DataLoader(examples, batch_size=batch_size, generator=torch.Generator())
    with evaluating(model):
        for inputs, targets in loader:
            with torch.no_grad():
                found = model(inputs + step * _slope(model, inputs, targets).sign())
            logits.append(found.to(torch.float64).numpy())
            labels.append(targets.numpy().astype(np.int64))
    return Outputs(logits=np.concatenate(logits), labels=np.concatenate(labels))


def _slope(model: nn.Module, inputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    if not inputs.is_floating_point():
        raise NoGradient(f"Inputs of type {inputs.dtype} cannot be moved by a small step.")
    asked = inputs.detach().clone().requires_grad_()
    with torch.enable_grad():
        answers = model(asked)
        if not answers.requires_grad:
            raise NoGradient("The model's answers do not depend on its inputs differentiably.")
        loss = functional.cross_entropy(answers, targets, reduction="sum")
        # None where the answers depend on weights and not on the inputs.
        (slope,) = torch.autograd.grad(loss, asked, allow_unused=True)
    if slope is None:
        raise NoGradient("The model's answers do not depend on its inputs differentiably.")
    return slope
