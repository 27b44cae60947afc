"""Whether what a run used may be used now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models.functions import Coalesce
from pyroaring import BitMap

from lineage.models import DatasetSnapshot, Influence, LineageNode, ModelVersion, Role
from lineage.queries.availability import barred_ordinals, purged_ordinals
from lineage.queries.membership import members, snapshots_holding

if TYPE_CHECKING:
    import uuid
    from collections.abc import Callable, Iterable

    from lineage.models import OrdinalSpace, Run

_GONE = (
    ModelVersion.State.WITHDRAWN,
    ModelVersion.State.QUARANTINED,
    ModelVersion.State.DESTROYED,
)


def barred_records_used(run: Run) -> int:
    """Return how many restricted or erased records are in the data that a run used.

    What the sampler drew counts, where it is known; else the declared snapshot. A forget set
    (influence NONE) does not count.
    """
    return _among(_read_by(run), barred_ordinals)


def erased_records_used(run: Run) -> int:
    """Return how many erased records are in the data that a run used."""
    return _among(_read_by(run), purged_ordinals)


def _read_by(run: Run) -> set[uuid.UUID]:
    inputs = run.inputs.exclude(influence=Influence.NONE).filter(
        node__kind=LineageNode.Kind.SNAPSHOT
    )
    read = Coalesce("used_snapshot_id", "node__object_id")
    return set(inputs.values_list(read, flat=True))


def barred_records(run: Run) -> BitMap:
    """Return the restricted or erased ordinals of the one TRAINING snapshot that a run declared.

    Of a run with none or several of them, the empty set: their ordinals may be of two spaces.
    """
    nodes = run.inputs.filter(role=Role.TRAINING).values("node__object_id")
    declared = list(DatasetSnapshot.objects.select_related("space").filter(id__in=nodes))
    if len(declared) != 1:
        return BitMap()
    barred = barred_ordinals(declared[0].space)
    return members(declared[0]) & barred if barred else barred


def _among(snapshot_ids: Iterable[uuid.UUID], chosen: Callable[[OrdinalSpace], BitMap]) -> int:
    used = DatasetSnapshot.objects.select_related("space").in_bulk(list(snapshot_ids))
    count = 0
    for space in {snapshot.space for snapshot in used.values()}:
        holding = snapshots_holding(space, chosen(space))
        count += sum(len(hits) for pk, hits in holding.items() if pk in used)
    return count


def withdrawn_sources(run: Run) -> list[ModelVersion]:
    """Return the models a run was derived from that are out of use by now."""
    inputs = run.inputs.exclude(influence=Influence.NONE)
    return list(
        ModelVersion.objects.filter(
            id__in=inputs.values("node__object_id"), state__in=_GONE
        ).order_by("generated_at")
    )
