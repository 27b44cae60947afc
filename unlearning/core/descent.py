"""What the methods share that take plain steps of stochastic gradient descent."""

from __future__ import annotations

from abc import ABC
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from unlearning.core.examples import count
from unlearning.core.knobs import BatchSize, Epochs, LearningRate, Momentum, WeightDecay
from unlearning.core.method import Method
from unlearning.core.order import Plan
from unlearning.core.seeding import derive
from unlearning.core.training import Phase, cosine
from unlearning.core.weights import sgd

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from unlearning.core.context import Context
    from unlearning.core.examples import Examples
    from unlearning.core.training import Objective


@dataclass(frozen=True, kw_only=True)
class Sgd(Method, ABC):
    """A method of SGD with momentum; a subclass declares a field again to change its default."""

    learning_rate: LearningRate = 0.01
    momentum: Momentum = 0.9
    weight_decay: WeightDecay = 5e-4
    epochs: Epochs = 10

    def optimizer(self, model: nn.Module) -> torch.optim.Optimizer:
        """Return a new optimiser of the trainable parameters."""
        return sgd(
            model,
            learning_rate=self.learning_rate,
            momentum=self.momentum,
            weight_decay=self.weight_decay,
        )


@dataclass(frozen=True, kw_only=True)
class Descent(Sgd, ABC):
    """Such a method with batches of one size."""

    batch_size: BatchSize = 256

    def plan(self, examples: Examples, context: Context, *labels: str | int) -> Plan:
        """Return every batch of all epochs over a set, in an order drawn for these labels."""
        return Plan(
            size=count(examples),
            batch_size=self.batch_size,
            epochs=self.epochs,
            seed=derive(context.seed, *labels),
        )

    def passes(self, name: str, model: nn.Module, objective: Objective, plan: Plan) -> Phase:
        """Return the phase that takes these steps, at a steady rate and in train mode."""
        return Phase(name=name, plan=plan, objective=objective, optimizer=self.optimizer(model))

    def tuning(self, model: nn.Module, retain: Examples, context: Context) -> Phase:
        """Return the phase that repairs on the retain set, augmented, the rate along a cosine."""
        recipe = context.recipe

        def objective(inputs: Tensor, targets: Tensor) -> Tensor:
            return recipe.loss(model(inputs), targets)

        phase = self.passes("repair", model, objective, self.plan(retain, context, "retain"))
        return replace(phase, rate=cosine, augment=recipe.augment)

    def epoch(self, phase: Phase, number: int) -> Phase:
        """Return one epoch of a phase, in an order of its own, at the rate of the whole."""

        def rate(step: int, total: int) -> float:
            return phase.rate(number * total + step, self.epochs * total)

        return replace(
            phase,
            name=f"epoch {number + 1} of {self.epochs}",
            plan=replace(phase.plan, epochs=1, seed=derive(phase.plan.seed, number)),
            rate=rate,
        )
