"""The weights that gradient steps move: found, copied, compared and counted."""

from __future__ import annotations

from contextlib import contextmanager
from copy import deepcopy
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from unlearning.core.claims import NotEligible

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class NothingTrainable(NotEligible):
    """The model has no parameter that a gradient step could move."""


def trainable(model: nn.Module) -> list[nn.Parameter]:
    """Return the parameters that have ``requires_grad`` set.

    Raises:
        NothingTrainable: there is none.
    """
    found = [weight for weight in model.parameters() if weight.requires_grad]
    if not found:
        raise NothingTrainable(
            f"{type(model).__name__} has no trainable parameter, so gradient steps cannot change "
            f"it; retrain it instead."
        )
    return found


def sgd(
    model: nn.Module, *, learning_rate: float, momentum: float, weight_decay: float
) -> torch.optim.SGD:
    """Return stochastic gradient descent over the trainable parameters of ``model``."""
    return torch.optim.SGD(
        trainable(model), lr=learning_rate, momentum=momentum, weight_decay=weight_decay
    )


def adam(model: nn.Module, *, learning_rate: float) -> torch.optim.Adam:
    """Return Adam over the trainable parameters of ``model``."""
    return torch.optim.Adam(trainable(model), lr=learning_rate)


@contextmanager
def training_only(model: nn.Module, chosen: Iterable[nn.Parameter]) -> Iterator[None]:
    """For the body, freeze every parameter that is not among ``chosen``."""
    mine = {id(weight) for weight in chosen}
    others = [weight for weight in trainable(model) if id(weight) not in mine]
    for weight in others:
        weight.requires_grad = False
    try:
        yield
    finally:
        for weight in others:
            weight.requires_grad = True


def frozen_copy(model: nn.Module) -> nn.Module:
    """Return a teacher: a copy in eval mode, without gradients and without shared storage."""
    return deepcopy(model).requires_grad_(requires_grad=False).eval()


def snapshot(model: nn.Module) -> list[Tensor]:
    """Return copies of the trainable parameters."""
    return [weight.detach().clone() for weight in trainable(model)]


def squared_distance(model: nn.Module, start: list[Tensor]) -> Tensor:
    """Return ||theta - theta_start||^2 over the trainable parameters, with gradient."""
    pairs = zip(trainable(model), start, strict=True)
    return torch.stack([(weight - old).square().sum() for weight, old in pairs]).sum()


def moved(model: nn.Module, start: list[Tensor]) -> int:
    """Return how many single weights differ from the snapshot ``start``."""
    pairs = zip(trainable(model), start, strict=True)
    return sum(int((weight != old).sum()) for weight, old in pairs)


class Touched:
    """Counts the single weights that a phase gave a gradient larger than rounding."""

    # Where student and teacher are equal, float32 leaves slopes of up to 1e-6 that mean nothing.
    ROUNDING = 2e-6

    def __init__(self, model: nn.Module) -> None:
        """Watch the trainable parameters of ``model``."""
        self._seen = [torch.zeros_like(w, dtype=torch.bool) for w in trainable(model)]

    def note(self, model: nn.Module) -> None:
        """Take note of the gradients as they are now."""
        for seen, weight in zip(self._seen, trainable(model), strict=True):
            if weight.grad is not None:
                seen.logical_or_(weight.grad.abs() > self.ROUNDING)

    def total(self) -> int:
        """Return the number of weights noted so far."""
        return sum(int(seen.sum()) for seen in self._seen)
