"""Whether what a run used may be used now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Q
from django.db.models.functions import Coalesce
from pyroaring import BitMap

from lineage.core.bitmaps import union
from lineage.models import (
    DatasetSnapshot,
    Influence,
    LineageNode,
    ModelVersion,
    OrdinalSpace,
    Role,
)
from lineage.queries.availability import barred_ordinals, purged_ordinals
from lineage.queries.data_behind import acts_on, data_behind, held_in, spaces_behind
from lineage.queries.derivation import with_derived
from lineage.queries.membership import members
from lineage.queries.nodes import nodes_of
from lineage.queries.reach import reached

if TYPE_CHECKING:
    import uuid
    from collections.abc import Callable

    from django.db.models import QuerySet

    from lineage.models import Run

_GONE = (
    ModelVersion.State.WITHDRAWN,
    ModelVersion.State.QUARANTINED,
    ModelVersion.State.DESTROYED,
)


def barred_records_used(run: Run) -> int:
    """Return how many restricted or erased records act on a run through the data that it used.

    What the sampler drew counts, where it is known; else the declared snapshot. A record counts
    where it is in that data, or where something in it was derived from the record: by a map, or
    as a whole. A forget set (influence NONE) does not count, nor what it holds of the latter.
    """
    return _among(run, barred_ordinals)


def erased_records_used(run: Run) -> int:
    """Return how many erased records act on a run in the same ways."""
    return _among(run, purged_ordinals)


def erased_records_passed_on(run: Run) -> int:
    """Return how many erased records act on a run through the models that it was derived from.

    What the run removed on purpose does not count: what is left of it is for the audit to say.
    """
    read = _derived_from(run)
    models = set(nodes_of(read.values_list("id", flat=True)).values())
    removed = set(run.inputs.filter(role=Role.FORGET).values_list("node_id", flat=True))
    passed = 0
    for space in OrdinalSpace.objects.filter(purges__isnull=False).distinct() if models else ():
        for where, gone in with_derived({space: purged_ordinals(space)}).items():
            reach = reached(where, gone)
            acting = union(reach.acting[node] for node in models & reach.acting.keys())
            cut = union(reach.removed[node] for node in removed & reach.removed.keys())
            passed += len(acting - cut)
    return passed


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


def _among(run: Run, chosen: Callable[[OrdinalSpace], BitMap]) -> int:
    behind = data_behind(_read_by(run))
    held = held_in(with_derived({one: chosen(one) for one in spaces_behind(behind)}))
    removed = run.inputs.filter(role=Role.FORGET).values_list("node_id", flat=True)
    return sum(
        len(acts_on(behind, holding, node, removed=removed))
        for holding in held
        for node in behind.read
    )


def withdrawn_sources(run: Run) -> list[ModelVersion]:
    """Return the models a run was derived from that are out of use by now.

    Those that wrote data which it read count as well.
    """
    return list(_derived_from(run).filter(state__in=_GONE).order_by("generated_at"))


def _derived_from(run: Run) -> QuerySet[ModelVersion]:
    inputs = run.inputs.exclude(influence=Influence.NONE)
    writers = LineageNode.objects.filter(id__in=data_behind(_read_by(run)).writers)
    return ModelVersion.objects.filter(
        Q(id__in=inputs.values("node__object_id")) | Q(id__in=writers.values("object_id"))
    )
