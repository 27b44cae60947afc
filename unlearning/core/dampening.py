"""What SSD and LFSSD share: weights shrink by how much more they matter for what goes."""

from __future__ import annotations

from abc import ABC
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import torch

from unlearning.core.examples import count
from unlearning.core.importance import importance
from unlearning.core.method import Method, NothingTouched, Outcome
from unlearning.core.ranges import Range
from unlearning.core.weights import moved, snapshot, trainable

if TYPE_CHECKING:
    from torch import Tensor, nn

    from unlearning.core.context import Context
    from unlearning.core.examples import Examples
    from unlearning.core.training import Objective


@dataclass(frozen=True, kw_only=True)
class Dampening(Method, ABC):
    """A method that shrinks the weights which matter more for the forget set than for all."""

    alpha: Annotated[
        float, Range(1, 100, log=True, help="how much more makes a weight shrink")
    ] = 10.0
    dampening: Annotated[float, Range(0, 1, help="factor on a weight that just shrinks")] = 1.0

    def dampen(
        self,
        model: nn.Module,
        sets: tuple[Examples, Examples],
        loss: Objective,
        power: int,
        context: Context,
    ) -> Outcome:
        """Shrink in place, given the retain set and the forget set.

        Raises:
            NothingTouched: no weight matters so much more.
        """
        theta_o = snapshot(model)
        going, everything = self._importances(model, sets, loss, power, context)
        chosen = [one > self.alpha * all_ for one, all_ in zip(going, everything, strict=True)]
        self._check_selection(sets, chosen)
        with torch.no_grad():
            for weight, one, all_, mask in zip(
                trainable(model), going, everything, chosen, strict=True
            ):
                factor = (self.dampening * all_ / one).clamp(max=1)
                weight.copy_(torch.where(mask, weight * factor, weight))
        number = sum(int(mask.sum()) for mask in chosen)
        return Outcome(
            model=model,
            edited=moved(model, theta_o),
            stop_reason=f"selected {number} weights and shrank them once",
        )

    def _importances(
        self,
        model: nn.Module,
        sets: tuple[Examples, Examples],
        loss: Objective,
        power: int,
        context: Context,
    ) -> tuple[list[Tensor], list[Tensor]]:
        """Return the mean importance over the forget set, and over both sets."""
        retain, forget = sets
        stays = importance(model, retain, loss, context, name="what stays", power=power)
        goes = importance(model, forget, loss, context, name="what goes", power=power)
        gone = count(forget)
        size = count(retain) + gone
        return (
            [one / gone for one in goes],
            [(one + other) / size for one, other in zip(goes, stays, strict=True)],
        )

    def _check_selection(self, sets: tuple[Examples, Examples], chosen: list[Tensor]) -> None:
        if not any(mask.any() for mask in chosen):
            gone = count(sets[1])
            most = (count(sets[0]) + gone) / gone
            raise NothingTouched(
                f"{self.title} selected no weight, as none matters {self.alpha:g} times as much "
                f"for the forget set as for all records (at most {most:.3g} is possible); lower "
                f"alpha."
            )
