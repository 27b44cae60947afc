"""One model to unlearn beside its retrained twin, and what a method is worth on it."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from unlearning.core.claims import NotEligible
from unlearning.core.comparison import Accuracies, Sets, accuracies, losses, retention_deviation
from unlearning.core.context import Context
from unlearning.core.indiscernibility import indiscernibility, population_mia
from unlearning.core.method import NothingTouched, SettingRefused, WeightsNotFinite
from unlearning.core.training import LossNotFinite

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import nn

    from unlearning.core.method import Method, Unlearned
    from unlearning.core.recipe import Recipe

# What a setting can do to a run without the search or the benchmark being wrong.
FAILURES = (NotEligible, NothingTouched, WeightsNotFinite, LossNotFinite, SettingRefused)


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One model to unlearn, with the retrained model that shows what unlearning should reach.

    ``chance`` is the indiscernibility of the retrained model itself, which sampling keeps below
    1. ``calibration`` is what a method that declares validation data is given; it is disjoint from
    ``sets.validation``, on which the method is judged.
    """

    recipe: Recipe
    original: nn.Module
    sets: Sets
    retrained: Accuracies
    chance: float
    calibration: Any
    seed: int


@dataclass(frozen=True, kw_only=True)
class Scores:
    """What came of one method on one problem."""

    accuracies: Accuracies
    ret_dev: float
    population_mia: float
    indiscernibility: float

    def objectives(self, problem: Problem) -> tuple[float, float, float, float]:
        """Return the four numbers that are minimised, in the order of OBJECTIVES.

        The first three are those of the benchmark. Its fourth is 1 - indiscernibility; here it
        is what is missing to the retrained model's own by more than one standard error of the
        attack's accuracy, as the rest is noise of the draw and would decide alone.
        """
        ours, theirs = asdict(self.accuracies), asdict(problem.retrained)
        gaps = [abs(ours[name] - theirs[name]) / 3 for name in ("retain", "forget", "validation")]
        return gaps[0], gaps[1], gaps[2], self._discernible(problem)

    def _discernible(self, problem: Problem) -> float:
        size = min(len(problem.sets.forget), len(problem.sets.validation))
        noise = 2 * 0.5 / math.sqrt(2 * size)  # of 2 * accuracy, from 2 * size answers
        return max(0.0, problem.chance - self.indiscernibility - noise)


def unlearn(problem: Problem, method: Method, session: Mapping[str, Any]) -> Unlearned:
    """Unlearn the forget set of a problem. Raises as ``Method.apply``."""
    context = Context(
        recipe=problem.recipe,
        seed=problem.seed,
        validation=problem.calibration,
        **session,
    )
    return method.apply(problem.original, problem.sets.retain, problem.sets.forget, context)


def score(problem: Problem, model: nn.Module) -> Scores:
    """Return what a model of the problem is worth beside the retrained one."""
    got = accuracies(problem.recipe, model, problem.sets)
    mia = attacked(problem.recipe, model, problem.sets, problem.seed)
    return Scores(
        accuracies=got,
        ret_dev=retention_deviation(got, problem.retrained),
        population_mia=mia,
        indiscernibility=indiscernibility(mia),
    )


def attacked(recipe: Recipe, model: nn.Module, sets: Sets, seed: int) -> float:
    """Return how often the population attack tells the forget set from the validation set."""
    forgotten, strangers = (losses(recipe, model, one) for one in (sets.forget, sets.validation))
    return population_mia(forgotten, strangers, seed=seed)
