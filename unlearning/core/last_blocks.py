"""What CF-k and EU-k share: the last blocks are trained, the ones before them are not."""

from __future__ import annotations

from abc import ABC
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, ClassVar

from unlearning.core.blocks import last_blocks
from unlearning.core.claims import Layers
from unlearning.core.examples import count
from unlearning.core.knobs import BatchSize, Epochs, LearningRate, Pull
from unlearning.core.method import Method
from unlearning.core.order import Plan
from unlearning.core.ranges import Range
from unlearning.core.seeding import derive
from unlearning.core.training import Phase, decayed, descend
from unlearning.core.weights import sgd, snapshot, squared_distance, training_only

if TYPE_CHECKING:
    from torch import Tensor, nn

    from unlearning.core.context import Context
    from unlearning.core.examples import Examples


@dataclass(frozen=True, kw_only=True)
class LastBlocks(Method, ABC):
    """A method that trains the last ``k`` blocks and the classifier on the retain set."""

    layers: ClassVar[Layers] = Layers.BLOCKS

    k: Annotated[int, Range(1, 10, help="blocks before the classifier")] = 1
    learning_rate: LearningRate = 0.01
    epochs: Epochs = 10
    batch_size: BatchSize = 256
    l2_to_init: Pull = 0.1
    decay_rate: Annotated[float, Range(0, 1, help="factor on the learning rate at a fall")] = 0.1

    def eligible(self, model: nn.Module) -> None:
        """Say, before anything is run, whether the model has so many blocks.

        Raises:
            NotEligible: it does not.
        """
        super().eligible(model)
        last_blocks(model, self.k)

    def tune(
        self, model: nn.Module, retain: Examples, context: Context, *, training: bool
    ) -> None:
        """Train the last blocks, in place, in train or eval mode; the others are in eval mode."""
        chosen = last_blocks(model, self.k)
        weights = [weight for layer in chosen for weight in layer.parameters()]
        with training_only(model, weights):
            phase = self._phase(model, retain, context)
            if training:
                phase = replace(phase, training=True, only=tuple(chosen))
            descend(model, retain, phase, context)

    def _phase(self, model: nn.Module, retain: Examples, context: Context) -> Phase:
        start = snapshot(model)
        recipe = context.recipe

        def objective(inputs: Tensor, targets: Tensor) -> Tensor:
            loss = recipe.loss(model(inputs), targets)
            return loss + self.l2_to_init / 2 * squared_distance(model, start)

        return Phase(
            name="last blocks",
            plan=Plan(
                size=count(retain),
                batch_size=self.batch_size,
                epochs=self.epochs,
                seed=derive(context.seed, "retain"),
            ),
            objective=objective,
            optimizer=sgd(model, learning_rate=self.learning_rate, momentum=0, weight_decay=0),
            rate=self._rate,
            augment=recipe.augment,
            training=False,
        )

    def _rate(self, step: int, total: int) -> float:
        return decayed(step * self.epochs // total, self.epochs, self.decay_rate)
