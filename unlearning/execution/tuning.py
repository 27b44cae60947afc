"""Search a method's hyperparameters on proxy problems drawn from a snapshot's training view."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import optuna
from django.conf import settings
from django.utils import timezone

from lineage.core import bitmaps
from lineage.queries.training_view import TrainingView
from unlearning.core.claims import NotEligible
from unlearning.core.proxy import proxy_problem
from unlearning.core.recipe import load_recipe
from unlearning.core.seeding import derive, isolated
from unlearning.core.session import CPU, Cancelled, Session
from unlearning.core.stored import StoredExamples
from unlearning.core.tuning import bounds, distributions, new_study, search, setting_of
from unlearning.execution.device import placed
from unlearning.execution.reporting import PROGRESS_SECONDS, reporter
from unlearning.execution.running import METHODS
from unlearning.models import Tuning
from unlearning.queries.tunings import completed, forgotten_by, searching
from unlearning.services import tunings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from uuid import UUID

    from lineage.models import Job
    from unlearning.core.method import Method
    from unlearning.core.problem import Problem
    from unlearning.core.recipe import Recipe


def search_settings(job: Job) -> None:
    """Do this job's share of a search.

    Several jobs may work on one search: each begins with the trials that the others have kept,
    and a job that is tried again goes on after its last trial. All try their settings on the same
    proxies, which live in memory only: they are made from what was fixed when the search began.
    Once a record of that is restricted or erased, trials stop and the search has failed.

    Raises:
        RecipeNotAllowed, NotARecipe: the recipe cannot be loaded.
        NotEligible: the method is not defined on this recipe's models.
    """
    tuning = Tuning.objects.select_related("snapshot__space").get(pk=job.payload_id)
    recipe = load_recipe(tuning.recipe, tuning.recipe_parameters, settings.EXPUNGE_RECIPE_MODULES)
    cls = METHODS.get(tuning.method)
    try:
        with isolated(0, CPU):
            cls().eligible(recipe.build())  # before anything is trained
    except NotEligible as reason:
        tunings.fail_search(tuning_id=tuning.pk, sentence=str(reason))
        raise
    if not tunings.open_search(tuning_id=tuning.pk, recipe_digest=recipe.digest()):
        return
    if completed(tuning.pk) < tuning.trials_wanted:
        with suppress(Cancelled):  # what stopped the search is told when it is closed
            _search(job, tuning, recipe, cls)


def _search(job: Job, tuning: Tuning, recipe: Recipe, cls: type[Method]) -> None:
    stopped = _stopped(tuning.pk)
    problems = _problems(job, tuning, recipe, stopped)
    report = reporter(job, f"Tuning {tuning.method}")
    share = int(job.parameters.get("share", 0))
    report("", completed(tuning.pk), tuning.trials_wanted)

    def ended(trial: optuna.trial.FrozenTrial) -> bool:
        over = tunings.keep_trial(
            tuning_id=tuning.pk,
            hyperparameters=setting_of(trial),
            values=trial.values or [],
            attributes=trial.system_attrs,
            share=share,
            now=timezone.now(),
        )
        report("", min(completed(tuning.pk), tuning.trials_wanted), tuning.trials_wanted)
        return over

    search(
        cls,
        problems,
        _study(tuning, share, distributions(cls, bounds(cls, problems[0]))),
        trials=tuning.trials_wanted,
        session={**placed(), "cancelled": stopped},
        ended=ended,
    )


def _problems(
    job: Job, tuning: Tuning, recipe: Recipe, stopped: Callable[[], bool]
) -> list[Problem]:
    """Train the proxies of a search: the same people are forgotten, all else is drawn anew."""
    ordinals = bitmaps.decode(bytes(tuning.view))
    view = TrainingView(snapshot=tuning.snapshot, ordinals=ordinals)
    examples = StoredExamples(recipe, view)
    gone = forgotten_by(tuning)
    forget = [place for place, ordinal in enumerate(ordinals) if ordinal in gone]
    return [
        proxy_problem(
            recipe,
            examples,
            forget,
            Session(
                seed=derive(tuning.seed, "proxy", number) % 2**31,
                progress=reporter(
                    job, f"Tuning {tuning.method}: training proxy {number + 1} of {tuning.proxies}"
                ),
                cancelled=stopped,
                **placed(),
            ),
        )
        for number in range(tuning.proxies)
    ]


def _stopped(tuning_id: UUID) -> Callable[[], bool]:
    """Return a callback that asks, at most once a second, whether a search is over."""
    asked = [0.0]
    over = [False]

    def stopped() -> bool:
        now = time.monotonic()
        if not over[0] and now - asked[0] >= PROGRESS_SECONDS:
            asked[0], over[0] = now, not searching(tuning_id)
        return over[0]

    return stopped


def _study(tuning: Tuning, share: int, space: Mapping[str, Any]) -> optuna.Study:
    """Return a study with every kept trial in it; each job draws with a seed of its own."""
    kept = list(tuning.trials.order_by("number"))
    study = new_study(str(tuning), seed=derive(tuning.seed, "share", share, len(kept)) % 2**32)
    states = optuna.trial.TrialState
    for trial in kept:
        study.add_trial(
            optuna.trial.create_trial(
                params=trial.hyperparameters,
                distributions=dict(space),
                values=trial.values or None,
                state=states.COMPLETE if trial.values else states.PRUNED,
                system_attrs=trial.attributes,
            )
        )
    return study
