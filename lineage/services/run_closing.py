"""Close a run inside the caller's transaction: membership, version or snapshot, edges."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from django.db.models import Max

from lineage.core.bitmaps import union
from lineage.models import (
    DatasetSnapshot,
    Influence,
    LineageEdge,
    LineageNode,
    ModelVersion,
    Role,
    Run,
    RunInput,
    RunOutput,
)
from lineage.queries.edges import edges_above
from lineage.queries.membership import members
from lineage.queries.nodes import nodes_of
from lineage.queries.standing import (
    barred_records_used,
    erased_records_passed_on,
    erased_records_used,
    withdrawn_sources,
)
from lineage.services.locking import lock_name, lock_spaces
from lineage.services.recalling import drawn_part, recall_rewritten
from lineage.services.snapshots import Origin, record_snapshot

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from pyroaring import BitMap

    from lineage.models import Dataset, OrdinalSpace
    from lineage.services.run_plans import RunResult

APPROXIMATE = "APPROXIMATE"
_WEAK = (APPROXIMATE, "CERTIFIED")  # the weakest first; whatever else there is passes nothing on
_WEAKEST_FIRST = (Influence.NONE, Influence.INDIRECT, Influence.DIRECT)


class RunNotOpen(ValueError):
    """The run was closed before."""


class TrainingSnapshotUnclear(ValueError):
    """It is not clear to which snapshot the used ordinals belong."""


def close_with_version(*, run: Run, result: RunResult, now: datetime) -> ModelVersion:
    """Write the version of an open run. Raises as ``finish_run``."""
    current = _open(run)
    _take_as_a_whole(current)
    if result.used is not None:
        _record_used(current, result, result.used, now)
    recall_rewritten(current, now, since=current.started_at)
    state, notes = _state(current, result)
    lock_name(f"model:{result.model_name}")
    version = ModelVersion.objects.create(
        id=result.version_id or uuid.uuid4(),
        model_name=result.model_name,
        version=_next_number(result.model_name),
        kind=result.kind,
        state=state,
        guarantee=weakest_guarantee(current, result.guarantee),
        generated_by=current,
        revision_of=result.revision_of,
        generated_at=now,
        invalidated_at=now if notes else None,
        expires_at=result.expires_at,
        metrics={**result.metrics, **notes},
    )
    node = LineageNode.objects.create(kind=LineageNode.Kind.MODEL, object_id=version.id)
    _connect(current, node, now)
    _complete(current, now, seconds=result.seconds, sampler=result.sampler)
    return version


def close_with_snapshot(
    *,
    run: Run,
    dataset: Dataset,
    ordinals: BitMap,
    now: datetime,
    mapped: OrdinalSpace | None = None,
) -> DatasetSnapshot:
    """Write the derived snapshot of an open run. Raises as ``finish_derivation``."""
    current = _open(run)
    recall_rewritten(current, now, since=current.started_at)
    if mapped is not None:
        _take_as_a_whole(current, besides=mapped.id)
    else:
        one_for_one = _same_ordinals(current, dataset, ordinals)
        _take_as_a_whole(current, besides=dataset.space_id if one_for_one else None)
    snapshot = record_snapshot(
        dataset=dataset, now=now, ordinals=ordinals, origin=Origin(generated_by=current)
    )
    _connect(current, LineageNode.objects.get(object_id=snapshot.id), now)
    _complete(current, now)
    return snapshot


def _take_as_a_whole(run: Run, *, besides: int | None = None) -> None:
    """Let source data act as a whole where its records are not followed one by one.

    They are by a map, or by equal ordinals in the space ``besides`` that they share with what was
    derived; into a model they never are.
    """
    for used in run.inputs.filter(role=Role.SOURCE_DATA, influence=Influence.NONE):
        source = DatasetSnapshot.objects.filter(id=used.node.object_id).first()
        if source is None or source.space_id != besides:
            run.inputs.filter(id=used.id).update(influence=Influence.DIRECT)


def _same_ordinals(run: Run, dataset: Dataset, ordinals: BitMap) -> bool:
    """Return whether everything that was derived has the ordinal of a record that was read."""
    read = DatasetSnapshot.objects.select_related("space", "dataset").filter(
        id__in=run.inputs.filter(role=Role.SOURCE_DATA).values("node__object_id"),
        space=dataset.space_id,
    )
    return ordinals.issubset(union(members(source) for source in read))


def _open(run: Run) -> Run:
    current = Run.objects.select_for_update().get(id=run.id)
    if current.state != Run.State.RUNNING:
        raise RunNotOpen(f"The run {current} is {current.state.lower()}; only once can it end.")
    declared = DatasetSnapshot.objects.filter(id__in=current.inputs.values("node__object_id"))
    # The same lock as `restrict`: this run either sees a restriction or is seen by the closure.
    lock_spaces(declared.values_list("space_id", flat=True))
    return current


def _record_used(run: Run, result: RunResult, used: BitMap, now: datetime) -> None:
    training = list(run.inputs.filter(role=Role.TRAINING, node__kind=LineageNode.Kind.SNAPSHOT))
    if len(training) != 1:
        raise TrainingSnapshotUnclear(
            f"The run {run} has {len(training)} TRAINING snapshots; to record which ordinals it "
            "used it needs exactly one."
        )
    declared = DatasetSnapshot.objects.select_related("space", "dataset").get(
        id=training[0].node.object_id
    )
    same = used == members(declared)
    RunInput.objects.filter(id=training[0].id).update(
        used_snapshot=declared if same else drawn_part(declared, run, used, now),
        first_step_blob=result.first_steps,
    )


def _state(run: Run, result: RunResult) -> tuple[str, dict[str, Any]]:
    if result.kind == ModelVersion.Kind.SHADOW:
        return ModelVersion.State.CANDIDATE, {}
    if born := born_affected(run, waiting=result.waiting):
        return born
    return (ModelVersion.State.ACTIVE if result.release else ModelVersion.State.CANDIDATE), {}


def born_affected(run: Run, *, waiting: bool = False) -> tuple[str, dict[str, Any]] | None:
    """Return state and notes of a version whose run used what must not be used any more.

    ``waiting``: restricted records do not count, see ``RunResult``.
    """
    barred = erased_records_used(run) if waiting else barred_records_used(run)
    unlearned = run.activity == Run.Activity.UNLEARN
    # Unlearning reads a version that is out of use, to remove some records: those alone.
    gone = [] if unlearned else withdrawn_sources(run)
    # A base that is in use may owe something to erased records, where a policy accepts that.
    passed_on = 0 if gone else erased_records_passed_on(run)
    if not barred and not gone and not passed_on:
        return None
    # What learned from somebody whose case is over waits in quarantine for a case of its own.
    late = passed_on or (barred and erased_records_used(run))
    return ModelVersion.State.QUARANTINED if late else ModelVersion.State.WITHDRAWN, {
        "born_affected": True,
        "barred_records_used": barred or passed_on,
        "sources_out_of_use": [str(version) for version in gone],
    }


def weakest_guarantee(run: Run, own: str) -> str:
    """Return the guarantee of a version: no stronger than that of any model it came from.

    Whether directly, or through data that a model wrote.
    """
    read = set(run.inputs.exclude(influence=Influence.NONE).values_list("node_id", flat=True))
    ancestors = read | {edge.src for edge in edges_above(read)}
    behind = LineageNode.objects.filter(id__in=ancestors, kind=LineageNode.Kind.MODEL)
    weak = ModelVersion.objects.filter(id__in=behind.values("object_id"), guarantee__in=_WEAK)
    # Unlearning reads the version that it replaces as a teacher; that one promises nothing.
    held = {own, *weak.values_list("guarantee", flat=True)}
    return next((one for one in _WEAK if one in held), own)


def _next_number(model_name: str) -> int:
    versions = ModelVersion.objects.filter(model_name=model_name)
    return int(versions.aggregate(last=Max("version"))["last"] or 0) + 1


def _connect(run: Run, node: LineageNode, now: datetime) -> None:
    """Write what the run wrote, and one edge from each node it read, the strongest use of it."""
    RunOutput.objects.create(run=run, node=node)
    read = sorted(run.inputs.all(), key=lambda use: _WEAKEST_FIRST.index(use.influence))
    drawn = nodes_of(use.used_snapshot_id for use in read if use.used_snapshot_id)
    uses: dict[int, RunInput] = {}
    for use in read:
        source = drawn[use.used_snapshot_id] if use.used_snapshot_id else use.node_id
        uses[source] = use
    LineageEdge.objects.bulk_create(
        LineageEdge(
            src_id=source,
            dst=node,
            role=use.role,
            influence=use.influence,
            run=run,
            valid_from=now,
        )
        for source, use in uses.items()
    )


def _complete(
    run: Run,
    now: datetime,
    *,
    seconds: float | None = None,
    sampler: Mapping[str, Any] | None = None,
) -> None:
    run.state, run.ended_at = Run.State.COMPLETE, now
    run.seconds = (now - run.started_at).total_seconds() if seconds is None else seconds
    run.sampler = {**run.sampler, **(sampler or {})}
    run.save()
