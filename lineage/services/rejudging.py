"""Judge once more what came from a version whose origin became known after they were."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from django.db import transaction

from lineage.core.graph import topological_order
from lineage.models import LineageNode, ModelVersion, RunOutput
from lineage.queries.edges import edges_below
from lineage.queries.nodes import nodes_of
from lineage.services.run_closing import APPROXIMATE, born_affected, weakest_guarantee

if TYPE_CHECKING:
    import uuid
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from lineage.models import Run

_State = ModelVersion.State
_USABLE = (_State.CANDIDATE, _State.ACTIVE)
_CAN_GET_WORSE = (*_USABLE, _State.WITHDRAWN)
_WORSE = (_State.WITHDRAWN, _State.QUARANTINED)


def judge_below(*, version: ModelVersion, now: datetime) -> list[ModelVersion]:
    """Judge every descendant of a version again; see ``judge_after``."""
    return judge_after(nodes=nodes_of([version.id]).values(), now=now)


@transaction.atomic
def judge_after(*, nodes: Iterable[int], now: datetime) -> list[ModelVersion]:
    """Judge all that came from some versions or data again, each after what it came from.

    It may have been closed, by whatever way it was captured, before the run that made its base or
    its data was told. It never gets better: a guarantee becomes weaker, and what learned from
    restricted or erased records, or from what is out of use by now, is taken out of use. Again,
    it changes nothing.

    Returns:
        The versions that changed.
    """
    start = set(nodes)
    order = [one for one in topological_order([], edges_below(start)) if one not in start]
    models = LineageNode.objects.filter(kind=LineageNode.Kind.MODEL).in_bulk(order)
    below = [models[one].object_id for one in order if one in models]
    locked = ModelVersion.objects.select_for_update(of=("self",)).select_related("generated_by")
    found = locked.in_bulk(below)
    told = _runs_that_wrote(models)
    changed: dict[uuid.UUID, ModelVersion] = {}
    # One by one: what happens to a version counts for those after it; on a cycle, for all.
    while now_changed := [found[one] for one in below if _changed(found[one], told[one], now)]:
        changed |= {version.id: version for version in now_changed}
    return list(changed.values())


def _runs_that_wrote(nodes: Iterable[int]) -> Mapping[uuid.UUID, list[Run]]:
    """Return, by version, the runs of which it was told that they wrote it."""
    runs: dict[uuid.UUID, list[Run]] = defaultdict(list)
    for written in RunOutput.objects.filter(node__in=list(nodes)).select_related("run", "node"):
        runs[written.node.object_id].append(written.run)
    return runs


def _changed(version: ModelVersion, told: Iterable[Run], now: datetime) -> bool:
    before = (version.guarantee, version.state)
    open_to_worse = version.kind != ModelVersion.Kind.SHADOW and version.state in _CAN_GET_WORSE
    for run in {version.generated_by, *told}:
        if version.guarantee != APPROXIMATE:
            version.guarantee = weakest_guarantee(run, version.guarantee)
        if open_to_worse and (born := born_affected(run)):
            take_out(version, *born, now)
    if before == (version.guarantee, version.state):
        return False
    version.save(update_fields=["guarantee", "state", "invalidated_at", "metrics"])
    return True


def take_out(version: ModelVersion, state: str, notes: Mapping[str, Any], now: datetime) -> None:
    """Set the state, unsaved; what is out of use is only ever set from withdrawn to quarantine."""
    if version.state in _USABLE or (version.state, state) == _WORSE:
        version.state, version.invalidated_at = state, now
        version.metrics = {**version.metrics, **notes}
