"""Steps of gradient descent written out, for loops that methods are held against."""

from __future__ import annotations

import math
from types import MappingProxyType
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from unlearning.core.order import Plan
from unlearning.core.seeding import derive

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SEED = 5


class ByHand:
    """SGD with momentum and weight decay, written out as torch documents it."""

    def __init__(
        self,
        weights: nn.Module | Iterable[Tensor],
        *,
        momentum: float = 0.0,
        weight_decay: float = 0.0,
    ) -> None:
        self.weights = list(weights.parameters() if isinstance(weights, nn.Module) else weights)
        self.start = [weight.detach().clone() for weight in self.weights]
        self.momentum, self.weight_decay = momentum, weight_decay
        self.velocity: list[Tensor] | None = None

    def step(
        self,
        loss: Tensor,
        learning_rate: float,
        deviation: float = 0.0,
        factors: Mapping[Tensor, Tensor] = MappingProxyType({}),
    ) -> None:
        slopes = [
            slope * factors.get(weight, 1)
            + (deviation * torch.randn(slope.shape) if deviation else 0)
            + self.weight_decay * weight.detach()
            for slope, weight in zip(
                torch.autograd.grad(loss, self.weights), self.weights, strict=True
            )
        ]
        old = self.velocity or [torch.zeros_like(slope) for slope in slopes]
        pairs = zip(old, slopes, strict=True)
        self.velocity = [self.momentum * speed + slope for speed, slope in pairs]
        for weight, speed in zip(self.weights, self.velocity, strict=True):
            weight.data -= learning_rate * speed

    def pull(self) -> Tensor:
        total = torch.zeros(())
        for weight, start in zip(self.weights, self.start, strict=True):
            total = total + ((weight - start) ** 2).sum()
        return total


def batches(
    data, batch_size: int, *labels: str | int, nested: bool = False
) -> list[tuple[Tensor, Tensor]]:
    seed = derive(derive(SEED, labels[0]), *labels[1:]) if nested else derive(SEED, *labels)
    plan = Plan(size=len(data), batch_size=batch_size, epochs=1, seed=seed)
    return [(data.tensors[0][chosen], data.tensors[1][chosen]) for chosen in plan.epoch(0)]


def close(one: nn.Module, other: nn.Module, tolerance: float = 1e-6) -> bool:
    pairs = zip(one.parameters(), other.parameters(), strict=True)
    return all(torch.allclose(mine, theirs, atol=tolerance) for mine, theirs in pairs)


def cosine(step: int, total: int) -> float:
    return (1 + math.cos(math.pi * step / total)) / 2
