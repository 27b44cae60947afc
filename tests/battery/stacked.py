"""Many small networks (64-128-10) trained at once, their weights stacked along the first axis.

The loss is summed over models, so the gradient of a model's weights is its own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional

HIDDEN = 128
BATCH = 32
MOMENTUM = 0.9


def generator(*path: int) -> torch.Generator:
    """Return a generator that depends on the whole path."""
    seed = 0
    for step in path:
        seed = (seed * 1_000_003 + step + 1) % 2**62
    return torch.Generator().manual_seed(seed)


@dataclass(frozen=True, kw_only=True)
class Stack:
    """Weights of n networks; shapes [n, 64, 128], [n, 1, 128], [n, 128, 10] and [n, 1, 10]."""

    first: Tensor
    first_bias: Tensor
    last: Tensor
    last_bias: Tensor

    @classmethod
    def fresh(cls, models: int, draw: torch.Generator) -> Stack:
        """Draw weights as torch does: uniform, within one over the root of the inputs."""

        def uniform(inputs: int, *shape: int) -> Tensor:
            return (2 * torch.rand(models, *shape, generator=draw) - 1) / math.sqrt(inputs)

        return cls(
            first=uniform(64, 64, HIDDEN),
            first_bias=uniform(64, 1, HIDDEN),
            last=uniform(HIDDEN, HIDDEN, 10),
            last_bias=uniform(HIDDEN, 1, 10),
        )

    @property
    def weights(self) -> tuple[Tensor, ...]:
        return (self.first, self.first_bias, self.last, self.last_bias)

    @classmethod
    def of(cls, weights: tuple[Tensor, ...]) -> Stack:
        return cls(**dict(zip(("first", "first_bias", "last", "last_bias"), weights, strict=True)))

    def head(self, models: int) -> Stack:
        """Return the first models."""
        return Stack.of(tuple(weight[:models] for weight in self.weights))

    def with_last_of(self, other: Stack) -> Stack:
        return replace(self, last=other.last, last_bias=other.last_bias)

    def mixed(self, other: Stack, share: float) -> Stack:
        """Return ``share`` of these weights plus the rest of the other's."""
        pairs = zip(self.weights, other.weights, strict=True)
        return Stack.of(tuple(share * mine + (1 - share) * theirs for mine, theirs in pairs))

    def noised(self, sigma: float, draw: torch.Generator) -> Stack:
        """Add noise of ``sigma`` times each matrix's standard deviation."""
        return Stack.of(
            tuple(
                weight + sigma * weight.std() * torch.randn(weight.shape, generator=draw)
                for weight in self.weights
            )
        )

    def __call__(self, inputs: Tensor) -> Tensor:
        """Return logits [n, m, 10] of inputs [m, 64], or of [n, m, 64], each model its own."""
        if inputs.ndim == 2:
            inputs = inputs.expand(len(self.first), -1, -1)
        hidden = torch.baddbmm(self.first_bias, inputs, self.first).relu()
        return torch.baddbmm(self.last_bias, hidden, self.last)


def margins(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the label's logit minus logsumexp of the others; the last axis is the class."""
    right = functional.one_hot(labels, logits.shape[-1]).bool().expand_as(logits)
    others = logits.masked_fill(right, -math.inf).logsumexp(-1)
    return (logits * right).sum(-1) - others


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """How to train; ``rate`` falls to zero along a cosine."""

    epochs: int
    rate: float = 0.1


def train(
    start: Stack, inputs: Tensor, labels: Tensor, how: Schedule, draw: torch.Generator
) -> Stack:
    """Train every network on all the examples, each in an order of its own."""
    models, examples = len(start.first), len(inputs)
    steps = examples // BATCH
    descent = Descent(start)
    for epoch in range(how.epochs):
        order = torch.rand(models, examples, generator=draw).argsort(1)
        for step in range(steps):
            chosen = order[:, step * BATCH : (step + 1) * BATCH]
            logits = descent.stack(inputs[chosen])
            loss = functional.cross_entropy(
                logits.flatten(0, 1), labels[chosen].flatten(), reduction="sum"
            )
            done = (epoch * steps + step) / (how.epochs * steps)
            descent.step(loss / BATCH, how.rate * 0.5 * (1 + math.cos(math.pi * done)))
    return descent.result()


class Descent:
    """Stochastic gradient descent with momentum on a stack."""

    def __init__(self, start: Stack, momentum: float = MOMENTUM) -> None:
        self.weights = tuple(weight.clone().requires_grad_() for weight in start.weights)
        self.velocity = [torch.zeros_like(weight) for weight in self.weights]
        self.momentum = momentum
        self.stack = Stack.of(self.weights)

    def step(self, loss: Tensor, rate: float) -> None:
        gradients = torch.autograd.grad(loss, self.weights)
        with torch.no_grad():
            for weight, velocity, gradient in zip(
                self.weights, self.velocity, gradients, strict=True
            ):
                velocity.mul_(self.momentum).add_(gradient)
                weight.sub_(velocity, alpha=rate)

    def result(self) -> Stack:
        return Stack.of(tuple(weight.detach() for weight in self.weights))
