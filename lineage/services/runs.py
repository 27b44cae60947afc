"""Open and close runs: what was read, what was written, and the edges between them."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from django.db import transaction

from lineage.models import Artefact, DatasetSnapshot, ModelVersion, Procedure, Run, RunInput
from lineage.queries.nodes import nodes_of
from lineage.services.artefacts import destroy_artefact, store_artefact
from lineage.services.run_closing import close_with_snapshot, close_with_version
from lineage.services.run_plans import Input, RunPlan, RunResult

if TYPE_CHECKING:
    from datetime import datetime

    from pyroaring import BitMap

    from lineage.models import Dataset, OrdinalSpace

__all__ = [
    "Input",
    "RunPlan",
    "RunResult",
    "SourceNotUsable",
    "begin_run",
    "fail_run",
    "finish_derivation",
    "finish_run",
]


class SourceNotUsable(ValueError):
    """A run cannot start from a model that is out of use."""


@transaction.atomic
def begin_run(*, plan: RunPlan, now: datetime) -> Run:
    """Return a new run that is RUNNING, with its inputs recorded.

    Raises:
        SourceNotUsable: an input is a destroyed version; or one that is withdrawn or not yet
            released, unless the run unlearns or trains shadow models.
    """
    _check_sources(plan)
    run = Run.objects.create(
        id=plan.run_id or uuid.uuid4(),
        procedure=_procedure(plan.procedure),
        parent=plan.parent,
        activity=plan.activity,
        capture_level=plan.capture,
        started_at=now,
        recipe=plan.recipe,
        recipe_parameters=dict(plan.recipe_parameters),
        recipe_digest=plan.recipe_digest,
        seed=plan.seed,
        sampler=dict(plan.sampler),
        environment=dict(plan.environment),
    )
    nodes = nodes_of(item.source.id for item in plan.inputs)
    RunInput.objects.bulk_create(
        RunInput(run=run, node_id=nodes[item.source.id], role=item.role, influence=item.effect)
        for item in plan.inputs
    )
    return run


def _procedure(name: str) -> Procedure | None:
    return Procedure.objects.get_or_create(namespace="default", name=name)[0] if name else None


def _check_sources(plan: RunPlan) -> None:
    repairs = plan.activity in {Run.Activity.UNLEARN, Run.Activity.SHADOW}
    for item in plan.inputs:
        if not isinstance(item.source, ModelVersion):
            continue
        state = ModelVersion.objects.values_list("state", flat=True).get(id=item.source.id)
        if state == ModelVersion.State.DESTROYED or (
            state != ModelVersion.State.ACTIVE and not repairs
        ):
            raise SourceNotUsable(
                f"{item.source} is {ModelVersion.State(state).label.lower()}; a {plan.activity} "
                "run cannot start from it."
            )


def finish_run(*, run: Run, result: RunResult, now: datetime) -> ModelVersion:
    """Close a run with the model version it trained, and return that version.

    Records that were restricted or erased while the run was open, and sources that went out of
    use meanwhile, make the version *born affected*: it is WITHDRAWN from the start, or
    QUARANTINED if it learned from erased records, with ``metrics["born_affected"]`` true. A
    shadow model is a CANDIDATE for ever.

    Raises:
        RunNotOpen: the run was closed before.
        TrainingSnapshotUnclear: ``used`` is given but the run has not one TRAINING snapshot.
        OrdinalsUnknown: ``used`` names ordinals that were never handed out.
        StoreFull, StoreNotWritable: the weights were not stored; the run stays open.
    """
    if not result.weights:
        with transaction.atomic():
            return close_with_version(run=run, result=result, now=now)
    # The row comes first and without a version: if this process dies, the weights can be found.
    weights = store_artefact(kind=Artefact.Kind.WEIGHTS, data=result.weights, now=now)
    unnamed = Artefact.objects.filter(id=weights.id, version=None, destroyed_at=None)
    try:
        with transaction.atomic():
            version = close_with_version(run=run, result=result, now=now)
            if not unnamed.update(version=version):  # by a run that made the same, at once
                store_artefact(kind=weights.kind, data=result.weights, now=now, version=version)
    except BaseException:
        if unnamed.exists():
            destroy_artefact(artefact=weights, now=now)
        raise
    return version


@transaction.atomic
def finish_derivation(
    *,
    run: Run,
    dataset: Dataset,
    ordinals: BitMap,
    now: datetime,
    mapped: OrdinalSpace | None = None,
) -> DatasetSnapshot:
    """Close a run with the data it derived (synthetic, distilled, embedded ...).

    What acts on the inputs of the run acts, through the snapshot, on all that is trained on it;
    but the records of SOURCE_DATA are followed one by one where everything that was derived shares
    its ordinal with one of them, or where they are of the space ``mapped``, from which a map was
    written (see ``write_derived``).

    Raises:
        RunNotOpen: the run was closed before.
        OrdinalsUnknown: the space of the data set has not handed out these ordinals.
    """
    return close_with_snapshot(run=run, dataset=dataset, ordinals=ordinals, now=now, mapped=mapped)


def fail_run(*, run: Run, now: datetime, reason: str = "") -> Run:
    """Mark an open run as INCOMPLETE; a run that was closed before stays as it is.

    Args:
        run: to be closed without output.
        now: when it ended.
        reason: a code or the name of an exception, never its text: that may name people.
    """
    with transaction.atomic():
        current = Run.objects.select_for_update().get(id=run.id)
        if current.state == Run.State.RUNNING:
            current.state, current.ended_at = Run.State.INCOMPLETE, now
            current.seconds = (now - current.started_at).total_seconds()
            current.sampler = current.sampler | ({"failure": reason} if reason else {})
            current.save()
    return current
