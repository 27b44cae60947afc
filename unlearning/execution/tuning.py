"""Search a method's hyperparameters on proxy problems drawn from a snapshot's training view."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import optuna
from django.conf import settings
from django.utils import timezone
from sklearn.model_selection import train_test_split
from torch.utils.data import ConcatDataset, Subset

from lineage.queries.training_view import training_view
from unlearning.core.comparison import Sets, accuracies
from unlearning.core.examples import Held, count
from unlearning.core.indiscernibility import indiscernibility
from unlearning.core.problem import Problem, attacked
from unlearning.core.recipe import load_recipe
from unlearning.core.seeding import derive
from unlearning.core.session import Session
from unlearning.core.stored import StoredExamples
from unlearning.core.tuning import bounds, distributions, new_study, search
from unlearning.execution.device import placed
from unlearning.execution.reporting import reporter
from unlearning.execution.running import METHODS
from unlearning.models import Tuning
from unlearning.queries.tunings import completed
from unlearning.services import tunings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lineage.models import Job
    from unlearning.core.examples import Examples
    from unlearning.core.method import Method
    from unlearning.core.recipe import Recipe

FEWEST = 200
FORGET, JUDGED, CALIBRATION, TEST = 0.1, 0.15, 0.05, 0.15


class TooFewToTune(ValueError):
    """So few records cannot be cut into the sets of a proxy problem."""


def search_settings(job: Job) -> str:
    """Do this job's share of a search; return the digest of the recipe that it searched for.

    Several jobs may work on one search: each begins with the trials that the others have kept,
    and a job that is tried again goes on after its last trial. The proxies live in memory only.

    Raises:
        RecipeNotAllowed, NotARecipe: the recipe cannot be loaded.
        TooFewToTune: the snapshot has too few usable records.
        NotEligible: the method is not defined on this recipe's models.
    """
    tuning = Tuning.objects.select_related("snapshot__space").get(pk=job.payload_id)
    recipe = load_recipe(tuning.recipe, tuning.recipe_parameters, settings.EXPUNGE_RECIPE_MODULES)
    if tuning.state == Tuning.State.SEARCHING and completed(tuning.pk) < tuning.trials_wanted:
        _search(job, tuning, recipe)
    return recipe.digest()


def _search(job: Job, tuning: Tuning, recipe: Recipe) -> None:
    report = reporter(job, f"Tuning {tuning.method}")
    examples = StoredExamples(recipe, training_view(tuning.snapshot))
    problems = [
        proxy_problem(recipe, examples, derive(tuning.seed, "proxy", number) % 2**31)
        for number in range(tuning.proxies)
    ]
    cls = METHODS.get(tuning.method)

    def ended(trial: optuna.trial.FrozenTrial) -> bool:
        report("", completed(tuning.pk), tuning.trials_wanted)
        return tunings.keep_trial(
            tuning_id=tuning.pk,
            hyperparameters=trial.params,
            values=trial.values or [],
            attributes=trial.system_attrs,
            now=timezone.now(),
        )

    search(
        cls,
        problems,
        _study(job, tuning, cls, problems[0]),
        trials=tuning.trials_wanted,
        session=placed(),
        ended=ended,
    )


def _study(job: Job, tuning: Tuning, cls: type[Method], problem: Problem) -> optuna.Study:
    """Return a study with every kept trial in it; each job draws with a seed of its own."""
    share = int(job.parameters.get("share", 0))
    kept = list(tuning.trials.order_by("number"))
    study = new_study(str(tuning), seed=derive(tuning.seed, "share", share, len(kept)) % 2**32)
    space: Any = distributions(cls, bounds(cls, problem))
    states = optuna.trial.TrialState
    for trial in kept:
        study.add_trial(
            optuna.trial.create_trial(
                params=trial.hyperparameters,
                distributions=space,
                values=trial.values or None,
                state=states.COMPLETE if trial.values else states.PRUNED,
                system_attrs=trial.attributes,
            )
        )
    return study


def proxy_problem(recipe: Recipe, examples: Examples, seed: int) -> Problem:
    """Cut examples into the sets of a proxy problem and train its two models.

    A tenth of the training part is to be forgotten; what judges is never trained on.

    Raises:
        TooFewToTune: there are fewer than two hundred.
    """
    size = count(examples)
    if size < FEWEST:
        raise TooFewToTune(
            f"The snapshot has {size} usable records; tuning needs at least {FEWEST} to draw "
            "proxy forget sets from."
        )
    rest, test = _cut(range(size), TEST, seed)
    rest, judged = _cut(rest, JUDGED, seed)
    rest, calibration = _cut(rest, CALIBRATION, seed)
    retain, forget = _cut(rest, FORGET, seed)
    parts = [Held(Subset(examples, part)) for part in (retain, forget, judged, test)]
    sets = Sets(retain=parts[0], forget=parts[1], validation=parts[2], test=parts[3])
    session = Session(seed=seed, **placed())
    original = recipe.train(ConcatDataset([sets.retain, sets.forget]), session)
    retrained = recipe.train(sets.retain, session)
    return Problem(
        recipe=recipe,
        original=original,
        sets=sets,
        retrained=accuracies(recipe, retrained, sets),
        chance=indiscernibility(attacked(recipe, retrained, sets, seed)),
        calibration=Held(Subset(examples, calibration)),
        seed=seed,
    )


def _cut(indices: Sequence[int], share: float, seed: int) -> tuple[list[int], list[int]]:
    kept, cut = train_test_split(list(indices), test_size=share, random_state=seed)
    return kept, cut
