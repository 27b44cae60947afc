"""From the events of one run to rows of the graph; again, it adds only what is new."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from django.db.models import Max
from pyroaring import BitMap

from lineage.core.bitmaps import decode, split
from lineage.core.membership import snapshot_digest
from lineage.models import (
    Dataset,
    DatasetSnapshot,
    Influence,
    LineageEdge,
    LineageNode,
    ModelVersion,
    OrdinalSpace,
    Procedure,
    ReceivedEvent,
    Role,
    Run,
    RunInput,
    RunOutput,
)
from lineage.queries.nodes import nodes_of
from lineage.services.locking import lock_name, lock_spaces
from lineage.services.run_closing import born_affected, weakest_guarantee
from lineage.services.run_plans import effect_of
from lineage.services.snapshots import Origin, record_snapshot

if TYPE_CHECKING:
    import uuid
    from collections.abc import Iterable
    from datetime import datetime

    from django.db.models import QuerySet

_ENDS = {
    "COMPLETE": Run.State.COMPLETE,
    "ABORT": Run.State.INCOMPLETE,
    "FAIL": Run.State.INCOMPLETE,
}
_UNKNOWN = "unknown"  # external version of the snapshot that stands for members nobody told
_NOBODY = "unknown origin of "  # external id of the run that stands for one nobody told


def build(*, run_id: uuid.UUID, now: datetime) -> Run:
    """Write what all events of a run say together."""
    events = list(ReceivedEvent.objects.filter(run_id=run_id).order_by("event_time", "sha256"))
    inputs = [one for event in events for one in event.body["inputs"]]
    outputs = [one for event in events for one in event.body["outputs"]]
    run = _run(run_id, events, outputs)
    # Two runs that tell of one model at once: the second sees what the first wrote.
    for name in sorted({_external(kept, "") for kept in inputs + outputs if kept["model"]}):
        lock_name(name)
    for kept in inputs:
        _input(run, kept, now)
    # The same lock as `restrict`: this run either sees a restriction or is seen by the closure.
    read = DatasetSnapshot.objects.filter(id__in=run.inputs.values("node__object_id"))
    lock_spaces(read.values_list("space_id", flat=True))
    if run.state == Run.State.COMPLETE:
        at = max(event.event_time for event in events if event.event_type == "COMPLETE")
        connect(run, at, [_output(run, kept, at) for kept in outputs])
        judge(run, at)
    run.capture_level = _level(inputs)
    run.save(update_fields=["capture_level"])
    return run


def _run(run_id: uuid.UUID, events: list[ReceivedEvent], outputs: list[dict[str, Any]]) -> Run:
    ends = [event for event in events if event.event_type in _ENDS]
    complete = any(event.event_type == "COMPLETE" for event in ends)
    state = Run.State.COMPLETE if complete else _ENDS[ends[-1].event_type] if ends else None
    job = events[-1].body["job"]
    procedure, _ = Procedure.objects.get_or_create(namespace=job["namespace"], name=job["name"])
    sampler: dict[str, Any] = {}
    for event in events:
        sampler |= event.body["sampler"]
    fields = {
        "procedure": procedure,
        "activity": _activity(job["type"], outputs),
        "state": state or Run.State.RUNNING,
        "started_at": events[0].event_time,
        "ended_at": ends[-1].event_time if ends else None,
        "sampler": sampler,
        "external_id": origin_of(run_id),
    }
    run, _ = Run.objects.update_or_create(id=run_id, defaults=fields)
    return run


def origin_of(run_id: uuid.UUID) -> str:
    """Return the external id of a run that came by OpenLineage."""
    return f"openlineage:{run_id}"


def _activity(job_type: str, outputs: list[dict[str, Any]]) -> str:
    if job_type in Run.Activity.values:
        return job_type
    models = any(one["model"] for one in outputs)
    return Run.Activity.TRAIN if models else Run.Activity.TRANSFORM


def _input(run: Run, kept: dict[str, Any], now: datetime) -> None:
    role = kept["role"] if kept["role"] in Role.values else ""
    role = role or (Role.BASE_MODEL if kept["model"] else Role.TRAINING)
    sources = [_version(kept, now)] if kept["model"] else _snapshots(kept, now)
    for node in nodes_of(source.id for source in sources).values():
        RunInput.objects.get_or_create(
            run=run, node_id=node, role=role, defaults={"influence": _effect(role)}
        )


def _effect(role: str) -> str:
    """Return how an input acts; an event brings no map, so source data acts as a whole."""
    return Influence.DIRECT if role == Role.SOURCE_DATA else effect_of(role)


def _dataset(kept: dict[str, Any]) -> Dataset:
    found = Dataset.objects.filter(namespace=kept["namespace"], name=kept["name"]).first()
    members = kept.get("members") or {}
    if found is None and members.get("space"):
        found = Dataset.objects.filter(space_id=members["space"]).order_by("id").first()
    if found is not None:
        return found
    space, _ = OrdinalSpace.objects.get_or_create(name=f"{kept['namespace']}/{kept['name']}"[:200])
    return Dataset.objects.create(namespace=kept["namespace"], name=kept["name"], space=space)


def _snapshots(kept: dict[str, Any], now: datetime) -> list[DatasetSnapshot]:
    """Return the named state of a data set and, where they are told, the members that were read.

    Both, whatever other events say: so the graph does not depend on which of them came first.
    """
    dataset = _dataset(kept)
    state = state_of(dataset, kept["version"], now)
    members = kept.get("members") or {}
    if not members.get("space"):
        return [state]
    if members["space"] != dataset.space_id:  # kept all the same: nobody in it must be missed
        home = Dataset.objects.filter(space_id=members["space"]).order_by("id").first()
        if home is None:
            return [state]
        dataset = home
    ordinals = decode(base64.b64decode(members["ordinals"]))
    return [state, _taken(dataset, ordinals, kept["version"], now)]


def state_of(dataset: Dataset, version: str, now: datetime) -> DatasetSnapshot:
    """Return the snapshot that a version names, else an empty one that stands for it."""
    if version:
        known = DatasetSnapshot.objects.filter(dataset=dataset)
        for name in ("external_version", "digest"):
            if found := known.filter(**{name: version}).order_by("seq").first():
                return found
    return _taken(dataset, BitMap(), f"{_UNKNOWN}:{version}"[:200], now)


def _taken(dataset: Dataset, ordinals: BitMap, version: str, now: datetime) -> DatasetSnapshot:
    """Return the snapshot with these members, taken now if there is none."""
    digest = snapshot_digest((chunk.number, chunk.sha256) for chunk in split(ordinals))
    known = DatasetSnapshot.objects.filter(
        dataset=dataset, digest=digest, external_version=version
    )
    return known.order_by("seq").first() or record_snapshot(
        dataset=dataset, now=now, ordinals=ordinals, origin=Origin(external_version=version)
    )


def _version(kept: dict[str, Any], now: datetime) -> ModelVersion:
    """Return a model that a run read; one that is not known here has an origin nobody told."""
    external = _external(kept, kept["version"])
    found = ModelVersion.objects.filter(external_id=external).order_by("version").last()
    if found is None and kept["version"].isdigit():
        found = ModelVersion.objects.filter(
            model_name=kept["name"], version=int(kept["version"])
        ).first()
    if found is not None:
        return found
    run = Run.objects.create(
        activity=Run.Activity.TRAIN,
        state=Run.State.COMPLETE,
        capture_level=Run.Capture.NONE,
        started_at=now,
        external_id=f"{_NOBODY}{external}"[:200],
    )
    return _new_version(run, kept, external, now)


def _new_version(run: Run, kept: dict[str, Any], external: str, at: datetime) -> ModelVersion:
    last = ModelVersion.objects.filter(model_name=kept["name"]).aggregate(last=Max("version"))
    version = ModelVersion.objects.create(
        model_name=kept["name"],
        version=int(last["last"] or 0) + 1,
        generated_by=run,
        generated_at=at,
        external_id=external,
    )
    LineageNode.objects.create(kind=LineageNode.Kind.MODEL, object_id=version.id)
    return version


def _external(kept: dict[str, Any], version: str) -> str:
    return f"openlineage:{kept['namespace']}/{kept['name']}#{version}"[:200]


def _output(run: Run, kept: dict[str, Any], at: datetime) -> int:
    if kept["model"]:
        external = _external(kept, kept["version"] or str(run.id))
        known = ModelVersion.objects.filter(external_id=external).order_by("version")
        source: ModelVersion | DatasetSnapshot = (
            known.filter(generated_by=run).first()
            or _adopted(known, run, at)
            or _new_version(run, kept, external, at)
        )
    else:
        source = state_of(_dataset(kept), kept["version"], at)
    node = nodes_of([source.id])[source.id]
    RunOutput.objects.get_or_create(node_id=node, defaults={"run": run})
    return node


def _adopted(known: QuerySet[ModelVersion], run: Run, at: datetime) -> ModelVersion | None:
    """Return the version that stood for this one since a run read it, now with its origin."""
    version = known.filter(generated_by__external_id__startswith=_NOBODY).first()
    if version is None:
        return None
    stand_in = version.generated_by
    version.generated_by, version.generated_at = run, at
    version.save(update_fields=["generated_by", "generated_at"])
    stand_in.delete()
    return version


def connect(run: Run, at: datetime, written: Iterable[int] = ()) -> None:
    """Derive whatever a run wrote from whatever it read, where that is not said yet.

    ``written`` are nodes that another run may have written before, as a data set without versions.
    """
    own = RunOutput.objects.filter(run=run).values_list("node_id", flat=True)
    for node in {*own, *written}:
        for used in run.inputs.exclude(node_id=node):
            LineageEdge.objects.get_or_create(
                src_id=used.node_id,
                dst_id=node,
                defaults={
                    "role": used.role,
                    "influence": used.influence,
                    "run": run,
                    "valid_from": at,
                },
            )


def judge(run: Run, at: datetime) -> None:
    """Take versions out of use that learned from what is restricted or erased by now."""
    made = ModelVersion.objects.filter(generated_by=run)
    made.update(guarantee=weakest_guarantee(run, ""))
    _take_out(run, at)


def _take_out(run: Run, at: datetime) -> None:
    """Do so for a run, and for those that are known to have read what it made."""
    made = list(ModelVersion.objects.filter(generated_by=run, state=ModelVersion.State.ACTIVE))
    born = born_affected(run) if made else None
    if born is None:
        return
    state, notes = born
    for version in made:
        version.state, version.invalidated_at = state, at
        version.metrics = {**version.metrics, **notes}
        version.save(update_fields=["state", "invalidated_at", "metrics"])
    read = RunInput.objects.filter(node__object_id__in=[version.id for version in made])
    for child in Run.objects.filter(id__in=read.values("run_id")):
        _take_out(child, at)


def _level(inputs: list[dict[str, Any]]) -> str:
    """Return REPORTED if the members of each state that was read are told, else NONE."""
    told: dict[tuple[str, str, str], bool] = {}
    for kept in inputs:
        if not kept["model"]:
            name = (kept["namespace"], kept["name"], kept["version"])
            told[name] = told.get(name, False) or _whole(kept)
    return Run.Capture.REPORTED if told and all(told.values()) else Run.Capture.NONE


def _whole(kept: dict[str, Any]) -> bool:
    """Whether the members were told and are those that the graph holds."""
    members = kept.get("members") or {}
    return bool(
        members.get("space")
        and not members["unmatched"]
        and members["space"] == _dataset(kept).space_id
    )
