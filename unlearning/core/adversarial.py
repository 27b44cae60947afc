"""The nearest inputs that a model answers wrongly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from unlearning.core.training import check_finite

if TYPE_CHECKING:
    from torch import Tensor, nn

    from unlearning.core.session import Session
    from unlearning.core.training import Objective


@dataclass(frozen=True, kw_only=True)
class Search:
    """Gradient ascent on ``loss`` in balls that double until the answer is wrong.

    Inputs stay between ``low`` and ``high``, and ``start`` is the first radius in units of that
    range. There are ``steps`` in each ball and at most ``doublings`` of it, so the search ends.
    """

    loss: Objective
    low: float
    high: float
    start: float
    steps: int
    doublings: int
    session: Session

    def nearest(
        self, model: nn.Module, inputs: Tensor, labels: Tensor, name: str
    ) -> tuple[Tensor, Tensor]:
        """Return the examples found and what they are answered; the model is in eval mode.

        An input that is answered wrongly is found at once. Others are searched in its batch.
        """
        found = inputs.clone()
        left = (_answers(model, inputs) == labels).nonzero().flatten()
        radius = self.start * (self.high - self.low)
        for number in range(self.doublings + 1):
            if not len(left):
                break
            told = f"{name}, size {number + 1} of {self.doublings + 1}"
            found[left] = self._climb(model, inputs[left], labels[left], radius, told)
            left = left[_answers(model, found[left]) == labels[left]]
            radius *= 2
        wrong = torch.ones_like(labels, dtype=torch.bool)
        wrong[left] = False
        return found[wrong], _answers(model, found[wrong])

    def _climb(
        self, model: nn.Module, inputs: Tensor, labels: Tensor, radius: float, name: str
    ) -> Tensor:
        """Return what steps of a tenth of the radius lead to, within the ball and the range."""
        moved = inputs.clone()
        for step in range(self.steps):
            self.session.step(name, step, self.steps)
            moved.requires_grad_()
            loss = self.loss(model(moved), labels)
            check_finite(loss.item(), name, step, self.steps)
            (slope,) = torch.autograd.grad(loss, moved)
            away = moved.detach() + radius / 10 * slope / _lengths(slope) - inputs
            away = away * (radius / _lengths(away)).clamp(max=1)
            moved = (inputs + away).clamp(self.low, self.high)
        return moved


def _lengths(each: Tensor) -> Tensor:
    """Return the length of every record, never zero, in a shape that divides them."""
    lengths: Tensor = each.flatten(1).norm(dim=1).clamp(min=1e-12)
    return lengths.view(-1, *[1] * (each.dim() - 1))


@torch.no_grad()
def _answers(model: nn.Module, inputs: Tensor) -> Tensor:
    answers: Tensor = model(inputs).argmax(-1)
    return answers
