"""Carry out one unlearning run."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from django.utils import timezone
from pyroaring import BitMap

from lineage.core import weights
from lineage.core.registry import Registry
from lineage.models import Role, Run
from lineage.queries.membership import members
from lineage.queries.sources import learned_by
from lineage.queries.training_view import training_view
from lineage.services import runs as lineage_runs
from lineage.services.views import open_erasure_view
from unlearning import methods
from unlearning.core.claims import Guarantee
from unlearning.core.context import Context
from unlearning.core.method import Method
from unlearning.core.replay.claims import claim_of_subtraction
from unlearning.core.replay.fingerprint import fingerprint
from unlearning.core.sharding.rebuilding import Rebuild
from unlearning.core.stored import StoredExamples
from unlearning.execution import privacy, rebuilding, replaying
from unlearning.execution.device import arithmetic_of, placed
from unlearning.execution.interim import serve_interim
from unlearning.execution.loading import (
    forget_snapshot,
    load_version,
    recipe_of,
    retain_snapshot,
)
from unlearning.execution.planting import joined, shares_of
from unlearning.execution.reporting import earlier_result, plan_of_run, reporter
from unlearning.execution.retraining import retraining
from unlearning.models import UnlearningRun
from unlearning.queries.histories import may_know_who_waits
from unlearning.recipes.sharded import Sharded
from unlearning.services import canaries, histories, runs

if TYPE_CHECKING:
    from torch import nn

    from lineage.models import DatasetSnapshot, Job, ModelVersion
    from lineage.queries.training_view import TrainingView
    from unlearning.core.examples import Examples
    from unlearning.core.recipe import Recipe
    from unlearning.core.replay.rewind import Rewind
    from unlearning.execution.interim import Gate

METHODS: Registry[Method] = Registry(methods, Method)


class NothingPromised(RuntimeError):
    """A version cannot be left alone: its training promised nothing to those who are forgotten."""


class OthersWouldStay(RuntimeError):
    """A model learned from more records than the forget set and the retain set hold."""


@dataclass(frozen=True, kw_only=True)
class Done:
    """A computation: its model and what to say of it."""

    model: nn.Module
    guarantee: str
    report: dict[str, Any]
    seconds: float


def execute_run(job: Job, gate: Gate | None = None) -> None:
    """Unlearn as the run says, store the candidate, record the result.

    Without a ``gate`` nothing serves in the place of the target meanwhile.
    """
    if not runs.start_run(run_id=job.payload_id):
        return
    run = UnlearningRun.objects.select_related("target__generated_by", "base", "space").get(
        pk=job.payload_id
    )
    if run.method == runs.DESTROY:
        _destroyed(run)
        return
    if run.method == runs.NO_ACTION:
        _left_alone(run)
        return
    known = earlier_result(job)
    if known is None:
        known = _unlearn(job, run, gate)
    if run.method == runs.RETRAIN:
        histories.settle(name=str(job.pk), version=known)
    if run.method == runs.REPLAY:
        in_shards = isinstance(recipe_of(run.target), Sharded)
        (rebuilding if in_shards else replaying).finish(run, known)
    canaries.hand_on(run=run, version=known)
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


def _left_alone(run: UnlearningRun) -> None:
    """Change nothing; say what the training of the version promised those who are forgotten.

    Raises:
        NothingPromised: it promised them nothing.
    """
    found = privacy.bound(run.target, run.space, runs.forget_of(run))
    if isinstance(found, str):
        raise NothingPromised(found)
    runs.finish_run(
        run_id=run.pk,
        unlearned=None,
        guarantee=runs.CERTIFIED,
        report={"claim": "the version is left as it is", **asdict(found)},
        seconds=0.0,
        now=timezone.now(),
    )


def _unlearn(job: Job, run: UnlearningRun, gate: Gate | None) -> ModelVersion:
    target = run.target
    recipe = recipe_of(target)
    method = METHODS.get(run.method)(**run.hyperparameters)
    snapshot = retain_snapshot(run)
    if method.reads_forget and method.guarantee is not Guarantee.APPROXIMATE:
        _check_complete(run, snapshot, method.title)
    inputs = [lineage_runs.Input(source=snapshot)]
    exact = method.guarantee is Guarantee.EXACT
    if run.base:
        inputs.append(lineage_runs.Input(source=run.base, role=Role.BASE_MODEL))
    if not exact:
        inputs += [
            lineage_runs.Input(source=target, role=Role.TEACHER),
            lineage_runs.Input(source=forget_snapshot(run), role=Role.FORGET),
        ]
    lineage_run = lineage_runs.begin_run(
        plan=plan_of_run(job, recipe, Run.Activity.UNLEARN, tuple(inputs), run.seed),
        now=timezone.now(),
    )
    try:
        version = _store(run, lineage_run, _apply(job, run, recipe, method, gate))
    except Exception as error:
        lineage_runs.fail_run(run=lineage_run, now=timezone.now(), reason=type(error).__name__)
        raise
    if run.method == runs.RETRAIN:
        privacy.keep(version, recipe, training_view(snapshot))
    return version


def _check_complete(run: UnlearningRun, retain: DatasetSnapshot, title: str) -> None:
    """Hold a method that takes the forget set out to a target made of the two sets alone.

    The retain set also lacks what other cases have restricted or erased since; a model from which
    only this forget set was taken would still hold those.
    """
    learned = learned_by(run.target, retain.space)
    both = members(retain) | (runs.forget_of(run) if run.space == retain.space else BitMap())
    if learned != both:
        raise OthersWouldStay(
            f"{title} takes the forget set out of {run.target}, which learned from "
            f"{len(learned - both)} records more that are restricted or erased by now, and they "
            f"would stay in it; retrain it, which leaves them all out."
        )


def _store(run: UnlearningRun, lineage_run: Run, done: Done) -> ModelVersion:
    guarantee = runs.weaker(done.guarantee, run.base.guarantee if run.base else "")
    return lineage_runs.finish_run(
        run=lineage_run,
        result=lineage_runs.RunResult(
            model_name=run.target.model_name,
            weights=weights.to_bytes(done.model.state_dict()),
            metrics={"report": done.report, "seconds": done.seconds},
            release=False,
            waiting=may_know_who_waits(run),
            guarantee=guarantee,
            revision_of=run.target,
            seconds=done.seconds,
        ),
        now=timezone.now(),
    )


def _apply(
    job: Job, run: UnlearningRun, recipe: Recipe, method: Method, gate: Gate | None
) -> Done:
    view = open_erasure_view(
        run_id=run.pk,
        purpose="UNLEARN",
        space=run.space,
        ordinals=runs.forget_of(run) if method.reads_forget else BitMap(),
        now=timezone.now(),
    )
    served = training_view(retain_snapshot(run))
    planted = shares_of(run, recipe, method)
    retain = joined(StoredExamples(recipe, served), planted.retain)
    forget: Examples = StoredExamples(recipe, view)
    if method.reads_forget:
        forget = joined(forget, planted.forget)
    told: dict[str, Any] = planted.told()
    again = run.method == runs.RETRAIN
    context = Context(
        recipe=recipe,
        seed=run.seed,
        base=load_version(run.base) if run.base else None,
        progress=reporter(job, f"{method.title}: {run.target}"),
        rewind=_rewind(job, run, recipe, served) if run.method == runs.REPLAY else None,
        fresh=retraining(job, recipe, served, told, planted.retain) if again else None,
        **placed(),
        **privacy.hidden(recipe, served),
    )
    if gate and isinstance(context.rewind, Rebuild):
        told["interim"] = serve_interim(job, run, context.rewind, retain, context, gate=gate)
    result = method.apply(load_version(run.target), retain, forget, context)
    if run.method == runs.DECREMENT:
        told["decrement"] = _subtracted(run)
    if context.rewind:
        told["replay"] = _said(run, context.rewind, result.report.seconds)
    return Done(
        model=result.model,
        guarantee=method.guarantee.name,
        report=result.report.as_dict() | told,
        seconds=result.report.seconds,
    )


def _rewind(
    job: Job, run: UnlearningRun, recipe: Recipe, served: TrainingView
) -> Rewind | Rebuild:
    if isinstance(recipe, Sharded):
        return rebuilding.begin(job, run, recipe, served)
    return replaying.begin(job, run)


def _subtracted(run: UnlearningRun) -> dict[str, str]:
    here = fingerprint(placed()["device"])
    found = claim_of_subtraction(arithmetic_of(run.target.generated_by), here)
    return {"claim": found.strength.value, "reason": found.reason}


def _said(run: UnlearningRun, rewind: Rewind | Rebuild, seconds: float) -> dict[str, Any]:
    if isinstance(rewind, Rebuild):
        return rebuilding.said(run, rewind, seconds)
    return replaying.said(run, seconds)
