"""Search the hyperparameters of a method offline, on forget sets that nobody asked for.

The objectives need a retrained model, so tuning for a request would cost more than retraining.
What is found on proxy problems is frozen, and evidence cites it.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import optuna

from unlearning.core.claims import NotEligible
from unlearning.core.method import SettingRefused
from unlearning.core.objectives import FAILURES_PER_TRIAL, OBJECTIVES, closest, named
from unlearning.core.problem import FAILURES, score, unlearn
from unlearning.core.ranges import hyperparameters

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from torch import nn

    from unlearning.core.method import Method
    from unlearning.core.problem import Problem
    from unlearning.core.ranges import Hyperparameter

Numbers: TypeAlias = dict[str, int | float]
BATCH_SIZES = (32, 64, 128, 256)
SHARE_OF_EPOCHS = 0.2
EPOCHS = ("epochs", "warmup_epochs")
FALLS = {"floor": "contrast_rate"}  # what a rate falls to, and from where
PARTS = ("msteps", "quiet", "fine_epochs", "reset_epochs")  # of the epochs
_SETTING = "setting"  # of a trial: its draw as the method accepts it


class NothingFound(RuntimeError):
    """No trial of the search ended with a model."""


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
    ended: Callable[[optuna.trial.FrozenTrial], object] = lambda _trial: False,
) -> None:
    """Go on with a study until it has so many completed trials.

    Each trial runs on every problem, and its objectives are the means plus one standard
    deviation. A setting that touches nothing, is refused or runs away counts as failed, and at
    most ten times as many may fail as shall be completed.

    Args:
        cls: the method.
        problems: proxies, on which nothing depends but the choice of numbers.
        study: as ``new_study`` returns it; trials of other processes may have been added.
        trials: how many shall be completed in all.
        session: device, callbacks and the like of every run.
        ended: hears each trial when it is over; the search stops here if it answers yes.

    Raises:
        NotEligible: the method is not defined on these models.
    """
    for problem in problems:
        cls().eligible(problem.original)
    most = bounds(cls, problems[0])
    space = distributions(cls, most)
    while _count(study, "COMPLETE") < trials:
        if _count(study, "PRUNED") >= FAILURES_PER_TRIAL * trials:
            break
        trial = study.ask(space)
        try:
            setting = settled(cls, trial.params, most)
            trial.set_user_attr(_SETTING, setting)
            found = _objectives(cls(**setting), problems, session or {})
        except FAILURES:
            told = study.tell(trial, state=optuna.trial.TrialState.PRUNED)
        else:
            told = study.tell(trial, found)
        if ended(told):
            break


def _objectives(
    method: Method, problems: Sequence[Problem], session: Mapping[str, Any]
) -> tuple[float, ...]:
    rows = np.array(
        [
            score(problem, unlearn(problem, method, session).model).objectives(problem)
            for problem in problems
        ]
    )
    # A setting that is good on most proxies and ruins one is not good.
    return tuple(float(each) for each in rows.mean(0) + rows.std(0))


def best(study: optuna.Study) -> Found:
    """Return the best completed trial of a study. Raises NothingFound if there is none."""
    completed = study.get_trials(states=(optuna.trial.TrialState.COMPLETE,))
    if not completed:
        raise NothingFound(f"No trial of {study.study_name} ended with a model.")
    by_number = {trial.number: trial for trial in completed}
    first = by_number[closest({number: one.values for number, one in by_number.items()})]
    return Found(
        hyperparameters=setting_of(first),
        objectives=named(first.values),
        trial=first.number,
        completed=len(completed),
        failed=_count(study, "PRUNED"),
    )


def setting_of(trial: optuna.trial.FrozenTrial) -> Numbers:
    """Return the numbers that a trial ran with."""
    return dict(trial.user_attrs.get(_SETTING, trial.params))


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

    At most a fifth of the recipe's epochs, as in the benchmark, for every number that counts
    epochs of the method, unless the method needs more of them to be itself; no more last blocks
    than the model has.
    """
    declared = {one.name: one for one in hyperparameters(cls)}
    epochs = math.ceil(SHARE_OF_EPOCHS * getattr(problem.recipe, "epochs", 1))
    found = {name: max(1, epochs) for name in declared if name in EPOCHS or name in PARTS}
    if "epochs" in found:
        found["epochs"] = max(found["epochs"], _fewest_epochs(cls))
    if "k" in declared:
        found["k"] = max(
            (at for at in _whole(declared["k"]) if _eligible(cls, problem.original, k=at)),
            default=int(declared["k"].allowed.low),
        )
    return found


def _fewest_epochs(cls: type[Method]) -> int:
    """Return with how few epochs a method can be set, when its parts are as short as they go."""
    declared = {one.name: one for one in hyperparameters(cls)}
    parts = {name: int(one.allowed.least) for name, one in declared.items() if name in PARTS}
    numbers = (at for at in _whole(declared["epochs"]) if _accepted(cls, {**parts, "epochs": at}))
    return next(numbers, int(declared["epochs"].allowed.low))


def settled(cls: type[Method], drawn: Mapping[str, Any], most: Mapping[str, int]) -> Numbers:
    """Return a draw with as little changed as makes the method accept it.

    Numbers are drawn one by one, and some are parts of the epochs. The longest part gives way,
    epoch by epoch, and then the epochs grow, up to what is searched. A rate that falls does not
    rise.

    Args:
        cls: the method.
        drawn: a value of every number that is searched.
        most: as ``bounds`` returns it.
    """
    numbers = dict(drawn)
    for least_rate, rate in FALLS.items():
        if least_rate in numbers and rate in numbers:
            numbers[least_rate] = min(numbers[least_rate], numbers[rate])
    least = {one.name: int(one.allowed.least) for one in hyperparameters(cls) if one.name in PARTS}
    while not _accepted(cls, numbers):
        longer = [name for name in least if numbers[name] > least[name]]
        if longer:
            numbers[max(longer, key=numbers.__getitem__)] -= 1
        elif least and numbers["epochs"] < most.get("epochs", 0):
            numbers["epochs"] += 1
        else:
            break  # something else is refused: the trial fails
    return numbers


def _accepted(cls: type[Method], numbers: Mapping[str, Any]) -> bool:
    try:
        cls(**numbers)
    except SettingRefused:
        return False
    return True


def _whole(one: Hyperparameter) -> range:
    return range(int(one.allowed.low), int(one.allowed.high) + 1)


def _eligible(cls: type[Method], model: nn.Module, **numbers: int) -> bool:
    try:
        cls(**numbers).eligible(model)
    except NotEligible:
        return False
    return True


def distributions(
    cls: type[Method], most: Mapping[str, int]
) -> dict[str, optuna.distributions.BaseDistribution]:
    """Return what each declared number is drawn from: its range, or up to ``most`` of it.

    Batch sizes are powers of two, as in the benchmark. A number that may be left out keeps its
    default.
    """
    return {
        one.name: _distribution(one, most.get(one.name))
        for one in hyperparameters(cls)
        if not one.optional
    }


def _distribution(one: Hyperparameter, most: int | None) -> optuna.distributions.BaseDistribution:
    low, high, log = one.allowed.least, one.allowed.high, one.allowed.log
    if one.name.endswith("batch_size"):
        return optuna.distributions.CategoricalDistribution(BATCH_SIZES)
    if most is not None:
        high = max(low, min(high, most))
    if one.kind is int:
        return optuna.distributions.IntDistribution(int(low), int(high), log=log)
    return optuna.distributions.FloatDistribution(low, high, log=log)


def _count(study: optuna.Study, state: str) -> int:
    return len(study.get_trials(deepcopy=False, states=(optuna.trial.TrialState[state],)))
