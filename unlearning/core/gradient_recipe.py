"""Recipes that train by stochastic gradient descent."""

from __future__ import annotations

from abc import ABC
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated

import torch

from unlearning.core.examples import count
from unlearning.core.order import Plan
from unlearning.core.private.descent import descend_privately
from unlearning.core.private.terms import Privacy, PrivacyRefused
from unlearning.core.ranges import Range
from unlearning.core.recipe import ADDED, Recipe
from unlearning.core.seeding import derive
from unlearning.core.training import Phase, cosine, descend
from unlearning.core.weights import trainable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torch import Tensor, nn

    from unlearning.core.examples import Held
    from unlearning.core.session import Session


@dataclass(frozen=True, kw_only=True)
class GradientRecipe(Recipe, ABC):
    """SGD with momentum and a cosine schedule over all steps; a subclass may change any part.

    With ``privacy`` it is DP-SGD: see ``unlearning.core.private``.
    """

    learning_rate: Annotated[float, Range(1e-5, 1.0, log=True, help="size of a step")] = 0.1
    momentum: Annotated[float, Range(0, 0.999, help="share of the last step kept")] = 0.9
    weight_decay: Annotated[float, Range(0, 0.1, help="pull of the weights to zero")] = 5e-4
    batch_size: Annotated[int, Range(1, 65536, help="records in a step")] = 128
    epochs: Annotated[int, Range(1, 10000, help="passes over the training set")] = 30
    privacy: Privacy | None = field(default=None, metadata=ADDED)

    def __post_init__(self) -> None:
        """Check every ranged field, and whether this recipe can be private.

        Raises:
            OutOfRange: a field has a value that its declaration does not allow.
            PrivacyRefused: a step of the recipe cannot be made private.
        """
        super().__post_init__()
        object.__setattr__(self, "privacy", Privacy.read(self.privacy))
        if self.privacy and (reason := _not_private(type(self))):
            raise PrivacyRefused(f"{self.title} cannot be trained privately: {reason}")

    def optimizer(self, weights: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        """Return a new optimiser of these parameters."""
        return torch.optim.SGD(
            weights,
            lr=self.learning_rate,
            momentum=self.momentum,
            weight_decay=self.weight_decay,
        )

    def rate(self, step: int, total: int) -> float:
        """Return the factor on the learning rate at a step, counted from 0."""
        return cosine(step, total)

    def plan(self, size: int, seed: int) -> Plan:
        """Return every batch of the training of ``size`` records."""
        own = derive(seed, "train")
        return Plan(size=size, batch_size=self.batch_size, epochs=self.epochs, seed=own)

    def _fit(self, model: nn.Module, examples: Held, session: Session) -> nn.Module:
        def objective(inputs: Tensor, targets: Tensor) -> Tensor:
            return self.loss(model(inputs), targets)

        phase = Phase(
            name="train",
            plan=self.plan(count(examples), session.seed),
            objective=objective,
            optimizer=self.optimizer(trainable(model)),
            rate=self.rate,
            augment=self.augment,
        )
        if self.privacy:
            descend_privately(model, examples, phase, self.privacy, session)
        else:
            descend(model, examples, phase, session)
        return model


def _not_private(cls: type[GradientRecipe]) -> str:
    """Return why the models of a recipe would learn of people past clip and noise; or nothing."""
    own = GradientRecipe
    if cls.prepare is not own.prepare:
        return (
            "it fits a scaler or the like on the data before its first step. Bring the columns to "
            "size with constants instead."
        )
    if cls.loss is not own.loss:
        return "it has a loss of its own, which may weigh examples against one another."
    if cls._fit is not own._fit:  # noqa: SLF001  (its own)
        return "it trains in a way of its own, without clip and noise."
    return ""
