"""From the events of one run to rows of the graph; again, it adds only what is new.

The graph is a function of the set of all events: whatever came first, it is the same.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from lineage.core.bitmaps import decode
from lineage.models import (
    Dataset,
    Influence,
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
from lineage.services.openlineage_edges import connect, judge
from lineage.services.openlineage_names import (
    dataset_of,
    external_id,
    own_state,
    state_of,
    state_written,
    told_members,
    version_read,
    version_written,
)
from lineage.services.recalling import recall_rewritten
from lineage.services.run_plans import effect_of

if TYPE_CHECKING:
    import uuid
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from lineage.models import DatasetSnapshot, ModelVersion

    Kept = dict[str, Any]  # a data set or a model of an event, as it is kept
    Datasets = Mapping[tuple[str, str], Dataset]

_ENDS = {
    "COMPLETE": Run.State.COMPLETE,
    "ABORT": Run.State.INCOMPLETE,
    "FAIL": Run.State.INCOMPLETE,
}
# What only this platform does: a word from outside takes no influence away.
_ROLES = frozenset(Role.values) - {Role.FORGET}
_ACTIVITIES = frozenset(Run.Activity.values) - {Run.Activity.UNLEARN, Run.Activity.SHADOW}


def build(*, run_id: uuid.UUID, now: datetime) -> Run:
    """Write what all events of a run say together."""
    events = list(ReceivedEvent.objects.filter(run_id=run_id).order_by("event_time", "sha256"))
    inputs = [one for event in events for one in event.body["inputs"]]
    outputs = [one for event in events for one in event.body["outputs"]]
    run = _run(run_id, events, outputs)
    # Two runs that tell of one model at once: the second sees what the first wrote.
    for name in sorted({external_id(kept, "") for kept in inputs + outputs if kept["model"]}):
        lock_name(name)
    datasets = _datasets(inputs + outputs)
    # The same lock as `restrict`: this run either sees a restriction or is seen by the closure.
    told = {part["space"] for kept in inputs for part in kept["members"]}
    lock_spaces(told | {dataset.space_id for dataset in datasets.values()})
    for event in events:
        for kept in event.body["inputs"]:
            _input(run, kept, datasets, now, at=event.event_time)
    run.capture_level = _level(inputs, datasets)
    run.save(update_fields=["capture_level"])
    if run.state == Run.State.COMPLETE:
        at = min(event.event_time for event in events if event.event_type == "COMPLETE")
        for kept in outputs:
            _output(run, kept, datasets, at)
        begun = any(event.event_type == "START" for event in events)
        digests = {kept["version"] for kept in inputs if not kept["model"]}
        since = run.started_at if begun else None
        recall_rewritten(run, now, since=since, digests=digests)
        judge(run, now, written=connect(run, at))
    return run


def _run(run_id: uuid.UUID, events: list[ReceivedEvent], outputs: list[Kept]) -> Run:
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
        "activity": _activity([event.body["job"]["type"] for event in events], outputs),
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


def _activity(job_types: list[str], outputs: list[Kept]) -> str:
    """Return the last activity that an event named; many clients name it at the start only."""
    known = [one for one in job_types if one in _ACTIVITIES]
    if known:
        return known[-1]
    models = any(one["model"] for one in outputs)
    return Run.Activity.TRAIN if models else Run.Activity.TRANSFORM


def _datasets(named: Iterable[Kept]) -> Datasets:
    names = {(kept["namespace"], kept["name"]) for kept in named if not kept["model"]}
    return {name: dataset_of(*name) for name in sorted(names)}


def _dataset(kept: Kept, datasets: Datasets) -> Dataset:
    return datasets[kept["namespace"], kept["name"]]


def _input(run: Run, kept: Kept, datasets: Datasets, now: datetime, *, at: datetime) -> None:
    role = kept["role"] if kept["role"] in _ROLES else ""
    role = role or (Role.BASE_MODEL if kept["model"] else Role.TRAINING)
    sources: list[ModelVersion] | list[DatasetSnapshot] = (
        [version_read(kept, at)]
        if kept["model"]
        else _snapshots(_dataset(kept, datasets), kept, now)
    )
    for node in nodes_of(source.id for source in sources).values():
        RunInput.objects.get_or_create(
            run=run, node_id=node, role=role, defaults={"influence": _effect(role)}
        )


def _effect(role: str) -> str:
    """Return how an input acts; an event brings no map, so source data acts as a whole."""
    return Influence.DIRECT if role == Role.SOURCE_DATA else effect_of(role)


def _snapshots(dataset: Dataset, kept: Kept, now: datetime) -> list[DatasetSnapshot]:
    """Return the named state of a data set and, by space, the members that were read.

    All of them, whatever other events say: so the graph does not depend on which came first.
    """
    found = [state_of(dataset, kept["version"], now)]
    for part in kept["members"]:
        # Members of another space are kept all the same: nobody in it must be missed.
        home = dataset if part["space"] == dataset.space_id else _home(part["space"])
        if home is not None:
            ordinals = decode(base64.b64decode(part["ordinals"]))
            # The version is of the data set that was named; of another one it says nothing.
            version = kept["version"] if home == dataset else ""
            found.append(told_members(home, ordinals, version, now))
    return found


def _home(space_id: int) -> Dataset | None:
    return Dataset.objects.filter(space_id=space_id).order_by("id").first()


def _output(run: Run, kept: Kept, datasets: Datasets, at: datetime) -> None:
    source: ModelVersion | DatasetSnapshot = (
        version_written(run, kept, at)
        if kept["model"]
        else state_written(_dataset(kept, datasets), kept["version"], at)
    )
    RunOutput.objects.get_or_create(run=run, node_id=nodes_of([source.id])[source.id])


def _level(inputs: list[Kept], datasets: Datasets) -> str:
    """Return how the members of every state that was read are known; NONE if of one they are not.

    One event may tell of a state what another leaves out.
    """
    states: dict[tuple[str, str, str], list[Kept]] = {}
    for kept in inputs:
        if not kept["model"]:
            name = (kept["namespace"], kept["name"], kept["version"])
            states.setdefault(name, []).append(kept)
    levels = {_known(kept, _dataset(kept[0], datasets)) for kept in states.values()}
    for level in (Run.Capture.NONE, Run.Capture.SNAPSHOT, Run.Capture.REPORTED):
        if level in levels:
            return level
    return Run.Capture.NONE


def _known(told: list[Kept], dataset: Dataset) -> str:
    if any(kept["unmatched"] for kept in told):
        return Run.Capture.NONE
    if any(_whole(kept, dataset) for kept in told):
        return Run.Capture.REPORTED
    ours = own_state(dataset, told[0]["version"])
    return Run.Capture.SNAPSHOT if ours else Run.Capture.NONE


def _whole(kept: Kept, dataset: Dataset) -> bool:
    """Whether the members were told; those of another space say nothing of the data set's own."""
    spaces = {part["space"] for part in kept["members"]}
    if dataset.space_id in spaces:
        return True
    own = OrdinalSpace.objects.get(id=dataset.space_id)
    return bool(spaces) and own.next_ordinal == 0
