"""Where torch meets the database: only the child process of a job imports this."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.utils import timezone
from pyroaring import BitMap

from expunge import environment
from lineage.core import weights
from lineage.core.registry import Registry
from lineage.models import DatasetSnapshot, ModelVersion, Role, Run
from lineage.queries.artefacts import weights_of
from lineage.queries.availability import barred_ordinals
from lineage.queries.membership import members
from lineage.queries.training_view import training_view
from lineage.services import jobs
from lineage.services import runs as lineage_runs
from lineage.services.snapshots import take_snapshot
from lineage.services.views import open_erasure_view
from unlearning import methods
from unlearning.core.context import Context
from unlearning.core.claims import Guarantee
from unlearning.core.method import Method
from unlearning.core.recipe import check_unchanged, load_recipe
from unlearning.core.seeding import isolated
from unlearning.core.session import CPU, Session
from unlearning.core.stored import StoredExamples
from unlearning.models import UnlearningRun
from unlearning.services import runs

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import nn

    from lineage.models import Job
    from unlearning.core.recipe import Recipe

METHODS: Registry[Method] = Registry(methods, Method)
PROGRESS_SECONDS = 1.0


class NoRecipe(Exception):  # noqa: N818  (reads as the fact it states)
    """The version was captured without a recipe, so it cannot be trained again."""


class TargetDestroyed(Exception):  # noqa: N818  (reads as the fact it states)
    """The version to unlearn does not exist any more."""


@dataclass(frozen=True, kw_only=True)
class Done:
    """A computation: its model and what to say of it."""

    model: nn.Module
    guarantee: str
    report: dict[str, Any]
    seconds: float


def train_version(job: Job) -> None:
    """Train a version from a recipe on a captured snapshot, as the job's parameters say."""
    wanted = job.parameters
    if _finished(job):
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
    run = _begin(job, recipe, activity, tuple(inputs), wanted["seed"])
    view = training_view(snapshot)
    started = time.perf_counter()
    model = recipe.train(
        StoredExamples(recipe, view),
        Session(
            seed=wanted["seed"],
            base=load_version(base) if base else None,
            progress=reporter(job, f"Training {wanted['model_name']}"),
        ),
    )
    lineage_runs.finish_run(
        run=run,
        result=lineage_runs.RunResult(
            model_name=wanted["model_name"],
            weights=weights.to_bytes(model.state_dict()),
            used=view.ordinals,
            guarantee=base.guarantee if base else "",
            seconds=time.perf_counter() - started,
        ),
        now=timezone.now(),
    )


def execute_run(job: Job) -> None:
    """Unlearn as the run says, store the candidate, record the result."""
    if not runs.start_run(run_id=job.payload_id):
        return
    run = UnlearningRun.objects.select_related("target__generated_by", "base", "space").get(
        pk=job.payload_id
    )
    if run.method == runs.DESTROY:
        _destroyed(run)
        return
    known = _finished(job)
    if known is None:
        known = _unlearn(job, run)
    runs.finish_run(
        run_id=run.pk,
        unlearned=known,
        guarantee=known.guarantee,
        report=known.metrics["report"],
        seconds=known.metrics["seconds"],
        now=timezone.now(),
    )


def _destroyed(run: UnlearningRun) -> None:
    runs.finish_run(
        run_id=run.pk,
        unlearned=None,
        guarantee=runs.EXACT,
        report={"claim": "the version is destroyed"},
        seconds=0.0,
        now=timezone.now(),
    )


def _unlearn(job: Job, run: UnlearningRun) -> ModelVersion:
    target = run.target
    recipe = recipe_of(target)
    method = METHODS.get(run.method)(**run.hyperparameters)
    snapshot = retain_snapshot(run)
    inputs = [lineage_runs.Input(source=snapshot)]
    exact = method.guarantee is Guarantee.EXACT
    if run.base:
        inputs.append(lineage_runs.Input(source=run.base, role=Role.BASE_MODEL))
    if not exact:
        inputs += [
            lineage_runs.Input(source=target, role=Role.TEACHER),
            lineage_runs.Input(source=forget_snapshot(run, snapshot), role=Role.FORGET),
        ]
    lineage_run = _begin(job, recipe, Run.Activity.UNLEARN, tuple(inputs), run.seed)
    done = _apply(job, run, recipe, method)
    guarantee = runs.weaker(done.guarantee, run.base.guarantee if run.base else "")
    return lineage_runs.finish_run(
        run=lineage_run,
        result=lineage_runs.RunResult(
            model_name=target.model_name,
            weights=weights.to_bytes(done.model.state_dict()),
            metrics={"report": done.report, "seconds": done.seconds},
            release=False,
            guarantee=guarantee,
            revision_of=target,
            seconds=done.seconds,
        ),
        now=timezone.now(),
    )


def _apply(job: Job, run: UnlearningRun, recipe: Recipe, method: Method) -> Done:
    view = open_erasure_view(
        run_id=run.pk,
        purpose="UNLEARN",
        space=run.space,
        ordinals=runs.forget_of(run) if method.reads_forget else BitMap(),
        now=timezone.now(),
    )
    retain = StoredExamples(recipe, training_view(retain_snapshot(run)))
    context = Context(
        recipe=recipe,
        seed=run.seed,
        base=load_version(run.base) if run.base else None,
        progress=reporter(job, f"{method.title}: {run.target}"),
    )
    result = method.apply(load_version(run.target), retain, StoredExamples(recipe, view), context)
    return Done(
        model=result.model,
        guarantee=method.guarantee.name,
        report=result.report.as_dict(),
        seconds=result.report.seconds,
    )


def recipe_of(version: ModelVersion) -> Recipe:
    """Return the recipe that a version was trained with, held to its captured digest.

    Raises:
        NoRecipe: it was captured without one.
        RecipeNotAllowed: its module is not in EXPUNGE_RECIPE_MODULES.
        RecipeChanged: its code or parameters are not those that were captured.
    """
    run = version.generated_by
    if not run.recipe:
        raise NoRecipe(
            f"{version} was captured without a recipe. Destroy it, or train it again outside on "
            "the training view and choose the new version on the case page."
        )
    recipe = load_recipe(run.recipe, run.recipe_parameters, settings.EXPUNGE_RECIPE_MODULES)
    check_unchanged(recipe, run.recipe_digest)
    return recipe


def load_version(version: ModelVersion) -> nn.Module:
    """Return the model of a version, its weights verified against their digest.

    Raises:
        TargetDestroyed: the weights were destroyed.
        ArtefactMissing, ArtefactAltered: the file is not there or not the same.
    """
    if version.state == ModelVersion.State.DESTROYED:
        raise TargetDestroyed(f"{version} was destroyed; there is nothing left to unlearn.")
    with isolated(0, CPU):
        model = recipe_of(version).build()
    model.load_state_dict(weights.from_bytes(weights_of(version)))
    return model.eval()


def training_snapshot(version: ModelVersion) -> DatasetSnapshot:
    """Return the snapshot of what a version was really trained on."""
    used = version.generated_by.inputs.filter(role=Role.TRAINING).select_related(
        "used_snapshot__dataset", "node"
    )[0]
    if used.used_snapshot:
        return used.used_snapshot
    return DatasetSnapshot.objects.select_related("dataset").get(pk=used.node.object_id)


def parents_of(version: ModelVersion) -> list[ModelVersion]:
    """Return the versions that a version was trained from."""
    inputs = version.generated_by.inputs.filter(role__in=[Role.BASE_MODEL, Role.TEACHER])
    ids = list(inputs.values_list("node__object_id", flat=True))
    return list(ModelVersion.objects.select_related("generated_by").filter(pk__in=ids))


def base_version_of(version: ModelVersion) -> ModelVersion | None:
    """Return the version that a version was fine-tuned from."""
    node = version.generated_by.inputs.filter(role=Role.BASE_MODEL).first()
    if node is None:
        return None
    return ModelVersion.objects.select_related("generated_by").get(pk=node.node.object_id)


def retain_snapshot(run: UnlearningRun) -> DatasetSnapshot:
    """Return the retain set of a run as a snapshot, taken once.

    It leaves out the forget set and every other record that is restricted or erased by now.
    """
    rule = {"retain_set_of": str(run.pk)}
    known = DatasetSnapshot.objects.filter(selection_rule=rule).first()
    if known:
        return known
    before = training_snapshot(run.target)
    kept = members(before) - runs.forget_of(run) - barred_ordinals(run.space)
    return take_snapshot(
        dataset=before.dataset, ordinals=kept, parent=before, rule=rule, now=timezone.now()
    )


def forget_snapshot(run: UnlearningRun, like: DatasetSnapshot) -> DatasetSnapshot:
    rule = {"forget_set_of": str(run.pk)}
    known = DatasetSnapshot.objects.filter(selection_rule=rule).first()
    return known or take_snapshot(
        dataset=like.dataset,
        ordinals=runs.forget_of(run),
        parent=like.parent,
        rule=rule,
        now=timezone.now(),
    )


def _begin(
    job: Job, recipe: Recipe, activity: str, inputs: tuple[lineage_runs.Input, ...], seed: int
) -> Run:
    # A try that died left a run open: it must not look as if it were still going on.
    for left in Run.objects.filter(environment__job=str(job.pk), state=Run.State.RUNNING):
        lineage_runs.fail_run(run=left, now=timezone.now())
    described = recipe.describe()
    return lineage_runs.begin_run(
        plan=lineage_runs.RunPlan(
            activity=activity,
            inputs=inputs,
            capture_level=Run.Capture.SAMPLER,
            recipe=described["recipe"],
            recipe_parameters=described["parameters"],
            recipe_digest=recipe.digest(),
            seed=seed,
            environment={"job": str(job.pk), **environment.fingerprint()},
        ),
        now=timezone.now(),
    )


def _finished(job: Job) -> ModelVersion | None:
    """Return what an earlier try of this job produced before it could say so."""
    return ModelVersion.objects.filter(
        generated_by__environment__job=str(job.pk), generated_by__state=Run.State.COMPLETE
    ).first()


def reporter(job: Job, phase: str) -> Callable[[str, int, int], None]:
    """Return a progress callback that writes at most once a second."""
    last = [0.0]

    def report(_: str, done: int, total: int) -> None:
        now = time.monotonic()
        if now - last[0] >= PROGRESS_SECONDS or done == total:
            last[0] = now
            jobs.report_progress(job=job, phase=phase, done=done, total=total)

    return report
