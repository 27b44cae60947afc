"""Train a version from a recipe, captured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.utils import timezone

from expunge import capture
from lineage.core import weights
from lineage.models import DatasetSnapshot, ModelVersion, Role, Run
from lineage.queries.training_view import training_view
from lineage.services import runs as lineage_runs
from lineage.services.capture import DatabaseSink
from unlearning.core.examples import NOTHING, count
from unlearning.core.recipe import load_recipe
from unlearning.core.session import Session
from unlearning.core.stored import StoredExamples
from unlearning.execution import privacy
from unlearning.execution.device import placed
from unlearning.execution.histories import recorded
from unlearning.execution.loading import load_version, makes_sums, recipe_of
from unlearning.execution.planting import joined, planted
from unlearning.execution.reporting import earlier_result, plan_of_run, reporter
from unlearning.execution.sharding import recorded_in_shards
from unlearning.recipes.sharded import Sharded
from unlearning.services import canaries, histories

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import nn

    from lineage.models import Job
    from lineage.queries.training_view import TrainingView
    from unlearning.core.examples import Examples
    from unlearning.core.recipe import Recipe


class BaseInShards(ValueError):
    """A vote of shards is no model that another recipe could go on from."""


def train_version(job: Job) -> None:
    """Train a version from a recipe on a captured snapshot, as the job's parameters say.

    Raises:
        BaseInShards: the base is a vote of shards.
    """
    wanted = job.parameters
    if known := earlier_result(job):
        histories.settle(name=str(job.pk), version=known)
        canaries.settle(job=job, version=known)
        return
    recipe = _recipe(wanted)
    snapshot = DatasetSnapshot.objects.select_related("dataset__space").get(pk=wanted["snapshot"])
    base = ModelVersion.objects.filter(pk=wanted.get("base")).first()
    inputs = [lineage_runs.Input(source=snapshot)]
    if base:
        inputs.append(lineage_runs.Input(source=base, role=Role.BASE_MODEL))
    activity = Run.Activity.FINE_TUNE if base else Run.Activity.TRAIN
    sink = DatabaseSink(
        plan=plan_of_run(job, recipe, activity, tuple(inputs), wanted["seed"]),
        model_name=wanted["model_name"],
        clock=timezone.now,
        guarantee=base.guarantee if base else "",
    )
    with capture.training(sink=sink) as captured:
        view = training_view(snapshot)
        session = Session(
            seed=wanted["seed"],
            base=_start(base) if base else None,
            progress=reporter(job, f"Training {wanted['model_name']}"),
            **placed(),
            **privacy.hidden(recipe, view),
        )
        beside = planted(job, recipe, view)
        model = trained(job, recipe, session, view, beside)
        # The recipe draws every record of its view in every epoch.
        captured.used(view.ordinals)
        captured.finish(
            weights=weights.to_bytes(model.state_dict()),
            metrics={"canaries": count(beside)} if count(beside) else None,
        )
    if version := earlier_result(job):
        histories.settle(name=str(job.pk), version=version)
        canaries.settle(job=job, version=version)
        privacy.keep(version, recipe, view)


def _start(base: ModelVersion) -> nn.Module:
    if isinstance(recipe_of(base), Sharded):
        raise BaseInShards(
            f"{base} is a vote of shards, which no other recipe can go on from; train a base as a "
            f"whole, with EXPUNGE_SHARDS=0."
        )
    return load_version(base)


def _recipe(wanted: Mapping[str, Any]) -> Recipe:
    """Return what is to be trained: in shards where the installation says so and no base is.

    A model of sums is left whole: from a vote of such models nothing could be subtracted.
    """
    recipe = load_recipe(
        wanted["recipe"], wanted["recipe_parameters"], settings.EXPUNGE_RECIPE_MODULES
    )
    whole = isinstance(recipe, Sharded) or wanted.get("base") or settings.EXPUNGE_SHARDS <= 1
    if whole or _noisy(recipe) or makes_sums(recipe):
        return recipe
    slices = max(1, settings.EXPUNGE_SLICES)
    return Sharded.of(recipe, shards=settings.EXPUNGE_SHARDS, slices=slices)


def trained(
    job: Job,
    recipe: Recipe,
    session: Session,
    view: TrainingView,
    beside: Examples = NOTHING,
) -> nn.Module:
    """Train by a recipe on what is served, recorded where the installation says so.

    With canaries ``beside`` the records it is not recorded, as a recording knows records alone.

    Raises:
        TooEntangled, EmptyShard, ClassesMissing, TooManySlices: see ``recorded_in_shards``.
    """
    if isinstance(recipe, Sharded):
        return recorded_in_shards(job, recipe, session, view)
    if not settings.EXPUNGE_REPLAY_EVERY or _noisy(recipe) or count(beside):
        return recipe.train(joined(StoredExamples(recipe, view), beside), session)
    return recorded(job, recipe, session, view)


def _noisy(recipe: Recipe) -> bool:
    """Return whether a training may not be recorded: with its noise kept, it promises nothing."""
    return recipe.noisy or privacy.terms_of(recipe) is not None
