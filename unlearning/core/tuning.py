"""Search the hyperparameters of a method offline, on forget sets that nobody asked for.

The objectives need a retrained model, so tuning for a request would cost more than retraining.
What is found on proxy problems is frozen, and evidence cites it.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import optuna

from unlearning.core.claims import NotEligible
from unlearning.core.comparison import Accuracies, Sets, accuracies, losses, retention_deviation
from unlearning.core.context import Context
from unlearning.core.indiscernibility import indiscernibility, population_mia
from unlearning.core.method import NothingTouched, SettingRefused, WeightsNotFinite
from unlearning.core.ranges import hyperparameters
from unlearning.core.training import LossNotFinite

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from torch import nn

    from unlearning.core.method import Method, Unlearned
    from unlearning.core.ranges import Hyperparameter
    from unlearning.core.recipe import Recipe

Numbers: TypeAlias = dict[str, int | float]
OBJECTIVES = ("retain", "forget", "validation", "discernible")
BATCH_SIZES = (32, 64, 128, 256)
SHARE_OF_EPOCHS = 0.2
# What a setting can do to a run without the search being wrong.
FAILURES = (NotEligible, NothingTouched, WeightsNotFinite, LossNotFinite, SettingRefused)
FAILURES_PER_TRIAL = 10


class NothingFound(RuntimeError):
    """No trial of the search ended with a model."""


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


@dataclass(frozen=True, kw_only=True)
class Found:
    """The best setting of a study: the smallest Euclidean norm of the four objectives."""

    hyperparameters: Numbers
    objectives: Mapping[str, float]
    trial: int
    completed: int
    failed: int


def search(
    cls: type[Method],
    problems: Sequence[Problem],
    study: optuna.Study,
    *,
    trials: int,
    session: Mapping[str, Any] | None = None,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Found:
    """Go on with a study until it has so many completed trials; return the best setting.

    Each trial runs on every problem, and its objectives are the means. A setting that touches
    nothing, is refused or runs away counts as failed, and at most ten times as many may fail as
    shall be completed.

    Raises:
        NotEligible: the method is not defined on these models.
        NothingFound: every trial failed.
    """
    for problem in problems:
        cls().eligible(problem.original)
    most = bounds(cls, problems[0])

    def objective(trial: optuna.Trial) -> tuple[float, ...]:
        method = _tried(cls, suggest(trial, cls, most))
        rows = []
        for problem in problems:
            try:
                model = unlearn(problem, method, session or {}).model
            except FAILURES as failure:
                raise optuna.TrialPruned(str(failure)) from failure
            rows.append(score(problem, model).objectives(problem))
        return tuple(sum(column) / len(rows) for column in zip(*rows, strict=True))

    while (done := _count(study, "COMPLETE")) < trials:
        if _count(study, "PRUNED") >= FAILURES_PER_TRIAL * trials:
            break
        study.optimize(objective, n_trials=1)
        progress(done + 1, trials)
    return best(study)


def best(study: optuna.Study) -> Found:
    """Return the best completed trial of a study. Raises NothingFound if there is none."""
    completed = study.get_trials(states=(optuna.trial.TrialState.COMPLETE,))
    if not completed:
        raise NothingFound(f"No trial of {study.study_name} ended with a model.")
    first = min(completed, key=lambda trial: (math.hypot(*trial.values), trial.number))
    return Found(
        hyperparameters=dict(first.params),
        objectives=dict(zip(OBJECTIVES, first.values, strict=True)),
        trial=first.number,
        completed=len(completed),
        failed=_count(study, "PRUNED"),
    )


def new_study(name: str, *, seed: int, storage: str | None = None) -> optuna.Study:
    """Return the study called ``name``, taken up where it stopped if the storage has it.

    NSGA-III with four objectives, as in Cadet et al., EuroS&P 2025.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with warnings.catch_warnings():  # the sampler is marked as experimental since 2022
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        sampler = optuna.samplers.NSGAIIISampler(seed=seed)
    return optuna.create_study(
        study_name=name,
        storage=storage,
        directions=["minimize"] * len(OBJECTIVES),
        sampler=sampler,
        load_if_exists=True,
    )


def bounds(cls: type[Method], problem: Problem) -> Mapping[str, int]:
    """Return what numbers are searched up to, where that is less than their range allows.

    At most a fifth of the recipe's epochs, as in the benchmark; no more last blocks than the
    model has.
    """
    epochs = math.ceil(SHARE_OF_EPOCHS * getattr(problem.recipe, "epochs", 1))
    found = {"epochs": max(1, epochs)}
    for one in hyperparameters(cls):
        if one.name == "k":
            found["k"] = max(
                (at for at in _whole(one) if _eligible(cls, problem.original, k=at)),
                default=int(one.allowed.low),
            )
    return found


def _whole(one: Hyperparameter) -> range:
    return range(int(one.allowed.low), int(one.allowed.high) + 1)


def _eligible(cls: type[Method], model: nn.Module, **numbers: int) -> bool:
    try:
        cls(**numbers).eligible(model)
    except NotEligible:
        return False
    return True


def suggest(trial: optuna.Trial, cls: type[Method], most: Mapping[str, int]) -> Numbers:
    """Draw each declared number from its range, or up to ``most`` of it.

    Batch sizes are powers of two, as in the benchmark. A number that may be left out keeps its
    default.
    """
    return {
        one.name: _drawn(trial, one, most.get(one.name))
        for one in hyperparameters(cls)
        if not one.optional
    }


def _drawn(trial: optuna.Trial, one: Hyperparameter, most: int | None) -> int | float:
    low, high, log = one.allowed.low, one.allowed.high, one.allowed.log
    if one.name == "batch_size":
        return int(trial.suggest_categorical(one.name, BATCH_SIZES))
    if most is not None:
        high = max(low, min(high, most))
    if one.kind is int:
        return trial.suggest_int(one.name, int(low), int(high), log=log)
    return trial.suggest_float(one.name, low, high, log=log)


def _tried(cls: type[Method], numbers: Mapping[str, Any]) -> Method:
    try:
        return cls(**numbers)
    except FAILURES as failure:
        raise optuna.TrialPruned(str(failure)) from failure


def _count(study: optuna.Study, state: str) -> int:
    return len(study.get_trials(deepcopy=False, states=(optuna.trial.TrialState[state],)))


__all__ = [
    "Found",
    "NotEligible",
    "NothingFound",
    "Problem",
    "Scores",
    "best",
    "bounds",
    "new_study",
    "score",
    "search",
    "suggest",
    "unlearn",
]
