"""What SCRUB and SCRUB with rewind share: the student that departs from its teacher."""

from __future__ import annotations

from abc import ABC
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

from unlearning.core.descent import Sgd
from unlearning.core.distillation import divergence
from unlearning.core.examples import count
from unlearning.core.knobs import Epochs, LearningRate, Temperature
from unlearning.core.method import SettingRefused
from unlearning.core.order import Plan
from unlearning.core.ranges import Range
from unlearning.core.seeding import derive
from unlearning.core.training import Phase, decayed, descend
from unlearning.core.weights import Touched, frozen_copy

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor, nn

    from unlearning.core.context import Context
    from unlearning.core.examples import Examples
    from unlearning.core.training import Objective


@dataclass(frozen=True, kw_only=True)
class Scrubbing(Sgd, ABC):
    """Passes that push a student away on the forget set, and that hold it on the retain set."""

    learning_rate: LearningRate = 5e-4
    epochs: Epochs = 5
    msteps: Annotated[
        int, Range(1, 100, searched_from=2, help="epochs that begin with the forget set")
    ] = 3
    gamma: Annotated[float, Range(0, 1, help="weight of the true labels")] = 1.0
    alpha: Annotated[float, Range(0, 1, help="weight of the teacher's answers")] = 0.5
    temperature: Temperature = 2.0
    retain_batch_size: Annotated[int, Range(1, 4096, help="retained records in a step")] = 32
    forget_batch_size: Annotated[int, Range(1, 4096, help="forgotten records in a step")] = 64

    def __post_init__(self) -> None:
        """Check the hyperparameters.

        Raises:
            OutOfRange: one is outside its range.
            SettingRefused: together they leave a pass undone or without an objective.
        """
        super().__post_init__()
        name = type(self).__name__
        if self.msteps > self.epochs:
            raise SettingRefused(
                f"{name}.msteps is {self.msteps}, more than the {self.epochs} epochs there are."
            )
        if self.gamma == 0 and self.alpha == 0:
            raise SettingRefused(f"{name}.gamma and {name}.alpha are both 0; raise one of them.")

    def scrub(
        self,
        model: nn.Module,
        retain: Examples,
        forget: Examples,
        context: Context,
        after: Callable[[int, int], None],
    ) -> int:
        """Train in place, calling ``after`` at the end of each epoch.

        It is given the number of the epoch, counted from 0, and how many single weights the
        passes over the forget set have moved so far; in the end that number is returned.
        """
        depart, obey = self._objectives(model, context)
        touched = Touched(model)
        optimizer = self.optimizer(model)
        departing = Phase(
            name="forget",
            plan=_one_epoch(forget, self.forget_batch_size),
            objective=depart,
            optimizer=optimizer,
            observe=touched.note,
        )
        obeying = Phase(
            name="retain",
            plan=_one_epoch(retain, self.retain_batch_size),
            objective=obey,
            optimizer=optimizer,
            augment=context.recipe.augment,
        )
        for epoch in range(self.epochs):
            if epoch < self.msteps:
                descend(model, forget, self._at(departing, epoch, context), context)
            descend(model, retain, self._at(obeying, epoch, context), context)
            after(epoch, touched.total())
        return touched.total()

    def _objectives(self, model: nn.Module, context: Context) -> tuple[Objective, Objective]:
        teacher = frozen_copy(model)
        scale = self.temperature**2  # keeps the size of the gradient whatever the temperature is

        def depart(inputs: Tensor, _targets: Tensor) -> Tensor:
            return -scale * divergence(model(inputs), teacher(inputs), self.temperature)

        def obey(inputs: Tensor, targets: Tensor) -> Tensor:
            student = model(inputs)
            labels = self.gamma * context.recipe.loss(student, targets)
            apart = divergence(student, teacher(inputs), self.temperature)
            return labels + self.alpha * scale * apart

        return depart, obey

    def _at(self, phase: Phase, epoch: int, context: Context) -> Phase:
        """Return the phase as it is in one epoch: its own order, its own learning rate."""
        factor = decayed(epoch, self.epochs, 0.1)
        return replace(
            phase,
            name=f"{phase.name}, epoch {epoch + 1} of {self.epochs}",
            plan=replace(phase.plan, seed=derive(context.seed, phase.name, epoch)),
            rate=lambda _step, _total: factor,
        )


def _one_epoch(examples: Examples, batch_size: int) -> Plan:
    return Plan(size=count(examples), batch_size=batch_size, epochs=1, seed=0)
