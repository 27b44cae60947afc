"""The batches of many trainings side by side, each in the order that it has by itself."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from unlearning.core.order import permutations

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from unlearning.core.gradient_recipe import GradientRecipe
    from unlearning.core.order import Plan

    Integers = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Part:
    """What one model of a stack learns: records by their number in the pool, in order, a seed."""

    records: Sequence[int]
    seed: int


@dataclass(frozen=True, kw_only=True)
class Batch:
    """The records of one step, (models, most records); padding repeats a record of the batch.

    ``shares`` weighs the losses, (models, most records); ``rates`` are factors on the learning
    rate and ``sizes`` the lengths without padding, (models,). After the end of a model's own
    training its rate and its size are 0.
    """

    places: Integers
    shares: NDArray[np.float32]
    rates: NDArray[np.float64]
    sizes: Integers


class Batches:
    """The batches of all models by step. Models with equally many records are drawn together."""

    def __init__(self, recipe: GradientRecipe, parts: Sequence[Part]) -> None:
        """Plan every training as ``recipe.plan`` does; no part is empty."""
        plans = [recipe.plan(len(part.records), part.seed) for part in parts]
        alike: dict[int, list[int]] = defaultdict(list)
        for model, plan in enumerate(plans):
            alike[plan.size].append(model)
        self._recipe = recipe
        self._groups = [
            _Alike(models, [plans[each] for each in models], [parts[each] for each in models])
            for models in alike.values()
        ]
        self.seeds = [plan.seed for plan in plans]
        self.steps = max(plan.steps for plan in plans)

    def at(self, step: int) -> Batch:
        """Return the batch of every model at a step; steps are quickest in their order."""
        drawn = [(group, group.at(step)) for group in self._groups]
        models, width = len(self.seeds), max(places.shape[1] for _, places in drawn)
        places = np.empty((models, width), np.int64)
        shares = np.zeros((models, width), np.float32)
        rates, sizes = np.zeros(models), np.zeros(models, np.int64)
        for group, own in drawn:
            size = own.shape[1]
            places[group.models] = own[:, :1] if size else group.first
            if size:
                places[group.models, :size] = own
                shares[group.models, :size] = 1 / size
                rates[group.models] = self._recipe.rate(step, group.steps)
            else:
                shares[group.models, 0] = 1
            sizes[group.models] = size
        return Batch(places=places, shares=shares, rates=rates, sizes=sizes)


class _Alike:
    """Models with equally many records, whose batches have the same bounds."""

    def __init__(
        self, models: Sequence[int], plans: Sequence[Plan], parts: Sequence[Part]
    ) -> None:
        self.models = np.asarray(models)
        self.steps = plans[0].steps
        self._plans = plans
        self._records = np.array([part.records for part in parts], np.int64)
        self.first = self._records[:, :1]
        self._epoch, self._order = -1, self._records

    def at(self, step: int) -> Integers:
        """Return the records of a step, (models, records); none after the last step."""
        plan = self._plans[0]
        epoch, within = divmod(step, plan.epoch_steps(0))
        if epoch >= plan.epochs:
            return self._records[:, :0]
        if epoch != self._epoch:
            drawn = permutations(plan.size, [each.key(epoch) for each in self._plans])
            self._epoch, self._order = epoch, np.take_along_axis(self._records, drawn, axis=1)
        return self._order[:, within * plan.batch_size : (within + 1) * plan.batch_size]
