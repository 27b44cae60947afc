"""A stretch of gradient steps, described: what is minimised, in which order, how fast."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import torch
    from torch import Tensor, nn

    from unlearning.core.order import Plan

DECAYS = (0.5, 0.8, 0.9)  # shares of the epochs after which the learning rate falls
Objective: TypeAlias = "Callable[[Tensor, Tensor], Tensor]"


class Companion(Protocol):
    """What changes along with the steps beside model and optimiser, such as an average of both."""

    def state_dict(self) -> dict[str, Any]:
        """Return all that a later step depends on: tensors, numbers, strings, lists of them."""

    def load_state_dict(self, state_dict: dict[str, Any]) -> object:
        """Take over such a state."""


def constant(_step: int, _total: int) -> float:
    """Keep the learning rate as it is."""
    return 1.0


def cosine(step: int, total: int) -> float:
    """Let the learning rate fall from 1 towards 0 along half a cosine."""
    return 0.5 * (1.0 + math.cos(math.pi * step / total))


def decayed(epoch: int, epochs: int, factor: float) -> float:
    """Let the learning rate fall by ``factor`` after 50, 80 and 90 per cent of the epochs."""
    falls: int = sum(epoch + 1 > share * epochs for share in DECAYS)
    return float(factor**falls)


def unchanged(inputs: Tensor) -> Tensor:
    """Augment nothing."""
    return inputs


def unseen(model: nn.Module) -> None:
    """Look at no gradient."""


@dataclass(frozen=True, kw_only=True)
class Phase:
    """A stretch of gradient steps: what is minimised, in which order, how fast.

    ``objective`` takes (augmented inputs, targets) of one batch to the scalar that is minimised.
    ``rate`` takes (step, total) to the factor on the optimiser's own learning rate: being a pure
    function, it needs no state to be taken up at any step. ``training`` chooses train or eval
    mode, of the layers in ``only`` where there are any. ``observe`` sees the model after each
    backward pass. ``companions`` names whatever else is carried from step to step (a moving
    average, a loss scaler), so that a training can be taken up in the middle.
    """

    name: str
    plan: Plan
    objective: Objective
    optimizer: torch.optim.Optimizer
    rate: Callable[[int, int], float] = constant
    augment: Callable[[Tensor], Tensor] = unchanged
    training: bool = True
    only: tuple[nn.Module, ...] = ()
    observe: Callable[[nn.Module], None] = unseen
    companions: Mapping[str, Companion] = field(default_factory=dict)
