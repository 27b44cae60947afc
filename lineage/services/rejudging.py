"""Judge once more what came from a version whose origin became known after they were."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction

from lineage.core.graph import topological_order
from lineage.models import LineageNode, ModelVersion
from lineage.queries.edges import edges_below
from lineage.queries.nodes import nodes_of
from lineage.services.run_closing import born_affected, weakest_guarantee

if TYPE_CHECKING:
    import uuid
    from collections.abc import Mapping
    from datetime import datetime

_State = ModelVersion.State
_USABLE = (_State.CANDIDATE, _State.ACTIVE)
_WORSE = (_State.WITHDRAWN, _State.QUARANTINED)


@transaction.atomic
def judge_below(*, version: ModelVersion, now: datetime) -> list[ModelVersion]:
    """Judge every descendant of a version again, each after what it came from.

    A descendant may have been closed, by whatever way it was captured, before the run that made
    its base was told. It never gets better: a guarantee becomes weaker, and what learned from
    restricted or erased records, or from what is out of use by now, is taken out of use. Again,
    it changes nothing.

    Returns:
        The versions that changed.
    """
    start = list(nodes_of([version.id]).values())
    order = topological_order([], edges_below(start))
    nodes = LineageNode.objects.filter(kind=LineageNode.Kind.MODEL).in_bulk(order)
    below = [nodes[one].object_id for one in order if one in nodes and one not in start]
    locked = ModelVersion.objects.select_for_update(of=("self",)).select_related("generated_by")
    found = locked.in_bulk(below)
    changed: dict[uuid.UUID, ModelVersion] = {}
    # One by one: what happens to a version counts for those after it; on a cycle, for all.
    while now_changed := [found[one] for one in below if _changed(found[one], now)]:
        changed |= {version.id: version for version in now_changed}
    return list(changed.values())


def _changed(version: ModelVersion, now: datetime) -> bool:
    before = (version.guarantee, version.state)
    version.guarantee = weakest_guarantee(version.generated_by, version.guarantee)
    born = (
        None if version.kind == ModelVersion.Kind.SHADOW else born_affected(version.generated_by)
    )
    if born:
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
