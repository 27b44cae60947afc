"""Train a version from a recipe, captured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.utils import timezone

from expunge import capture
from lineage.core import weights
from lineage.models import DatasetSnapshot, ModelVersion, Role, Run
from lineage.queries.training_view import training_view
from lineage.services import runs as lineage_runs
from lineage.services.capture import DatabaseSink
from unlearning.core.recipe import load_recipe
from unlearning.core.session import Session
from unlearning.core.stored import StoredExamples
from unlearning.execution import privacy
from unlearning.execution.device import placed
from unlearning.execution.histories import recorded
from unlearning.execution.loading import load_version
from unlearning.execution.reporting import earlier_result, plan_of_run, reporter
from unlearning.services import histories

if TYPE_CHECKING:
    from torch import nn

    from lineage.models import Job
    from lineage.queries.training_view import TrainingView
    from unlearning.core.recipe import Recipe


def train_version(job: Job) -> None:
    """Train a version from a recipe on a captured snapshot, as the job's parameters say."""
    wanted = job.parameters
    if known := earlier_result(job):
        histories.settle(name=str(job.pk), version=known)
        return
    recipe = load_recipe(
        wanted["recipe"], wanted["recipe_parameters"], settings.EXPUNGE_RECIPE_MODULES
    )
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
            base=load_version(base) if base else None,
            progress=reporter(job, f"Training {wanted['model_name']}"),
            **placed(),
            **privacy.hidden(recipe, view),
        )
        model = _trained(job, recipe, session, view)
        # The recipe draws every record of its view in every epoch.
        captured.used(view.ordinals)
        captured.finish(weights=weights.to_bytes(model.state_dict()))
    if version := earlier_result(job):
        histories.settle(name=str(job.pk), version=version)
        privacy.keep(version, recipe, view)


def _trained(job: Job, recipe: Recipe, session: Session, view: TrainingView) -> nn.Module:
    # A private training is not recorded: with its noise kept, it would promise nothing.
    if not settings.EXPUNGE_REPLAY_EVERY or privacy.terms_of(recipe):
        return recipe.train(StoredExamples(recipe, view), session)
    return recorded(job, recipe, session, view)
