"""Take snapshots: fix for ever which records a data set held."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.db import transaction

from lineage.core import deltas
from lineage.core.bitmaps import Chunk, split
from lineage.core.membership import snapshot_digest
from lineage.core.worded import worded
from lineage.models import (
    DatasetSnapshot,
    Influence,
    LineageEdge,
    LineageNode,
    OrdinalSpace,
)
from lineage.queries import recent
from lineage.queries.availability import usable_ordinals
from lineage.services.bulk import insert_chunks
from lineage.services.locking import lock_space
from lineage.services.told_edges import derive_new_state

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from pyroaring import BitMap

    from lineage.models import Dataset, Run


class OrdinalsUnknown(ValueError):
    """Some ordinals were never handed out in their space."""


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Where a snapshot comes from.

    * ``parent``: the snapshot it revises or selects from;
    * ``rule``: how it was selected, in words or parameters;
    * ``generated_by``: the run that wrote the records, when they are derived;
    * ``external_version``: what the source calls this state.
    """

    parent: DatasetSnapshot | None = None
    rule: Mapping[str, Any] = field(default_factory=dict)
    generated_by: Run | None = None
    external_version: str = ""


def check_known(space: OrdinalSpace, ordinals: BitMap) -> None:
    """Check that the space has handed out these ordinals.

    Raises:
        OrdinalsUnknown: it has not.
    """
    if ordinals and ordinals.max() >= space.next_ordinal:
        raise OrdinalsUnknown(
            worded(
                "The highest ordinal is %(most)s; the space %(space)s has handed out %(count)s, "
                "starting at 0.",
                most=ordinals.max(),
                space=space.name,
                count=space.next_ordinal,
            )
        )


def take_snapshot(
    *,
    dataset: Dataset,
    now: datetime,
    ordinals: BitMap | None = None,
    parent: DatasetSnapshot | None = None,
    rule: Mapping[str, Any] | None = None,
) -> DatasetSnapshot:
    """Return a new snapshot of a data set.

    Args:
        dataset: whose records they are.
        now: when the snapshot is taken.
        ordinals: its members; without them, every record that is neither restricted nor erased.
            They may name restricted or erased records: a snapshot also states what *was* used.
        parent: see ``Origin``.
        rule: see ``Origin``.

    Raises:
        OrdinalsUnknown: the space has not handed them out.
    """
    return record_snapshot(
        dataset=dataset,
        now=now,
        ordinals=ordinals,
        origin=Origin(parent=parent, rule=rule or {}),
    )


@transaction.atomic
def record_snapshot(
    *, dataset: Dataset, now: datetime, ordinals: BitMap | None, origin: Origin
) -> DatasetSnapshot:
    """Return a new snapshot with its whole origin. Otherwise as ``take_snapshot``."""
    space = lock_space(dataset.space_id)
    members = usable_ordinals(space) if ordinals is None else ordinals
    check_known(space, members)
    whole = split(members)
    base, rows = _storage(dataset, origin.parent, members, whole)
    snapshot = DatasetSnapshot.objects.create(
        dataset=dataset,
        space=space,
        seq=space.next_seq,
        parent=origin.parent,
        base=base,
        chain=base.chain + 1 if base else 0,
        record_count=len(members),
        digest=snapshot_digest((chunk.number, chunk.sha256) for chunk in whole),
        external_version=origin.external_version,
        selection_rule=dict(origin.rule),
        generated_by=origin.generated_by,
        created_at=now,
    )
    insert_chunks(space.id, snapshot.seq, rows)
    OrdinalSpace.objects.filter(id=space.id).update(next_seq=space.next_seq + 1)
    node = LineageNode.objects.create(kind=LineageNode.Kind.SNAPSHOT, object_id=snapshot.id)
    _inherit_edges(node, _origins(dataset, origin, members))
    derive_new_state(snapshot, node)
    recent.remember(snapshot, members)
    return snapshot


def _storage(
    dataset: Dataset, parent: DatasetSnapshot | None, members: BitMap, whole: list[Chunk]
) -> tuple[DatasetSnapshot | None, list[Chunk]]:
    """Return what the snapshot is stored against, if that saves anything, and its rows."""
    base = parent if parent and parent.space_id == dataset.space_id else _newest(dataset)
    if base is None or base.chain >= deltas.LONGEST_CHAIN:
        return None, whole
    rows = deltas.differences(recent.members_of(base), members, whole)
    return (None, whole) if rows is None else (base, rows)


def _newest(dataset: Dataset) -> DatasetSnapshot | None:
    found = DatasetSnapshot.objects.filter(dataset=dataset, space_id=dataset.space_id)
    return found.select_related("space", "dataset").order_by("-seq").first()


def _origins(dataset: Dataset, origin: Origin, members: BitMap) -> list[DatasetSnapshot]:
    """Return the snapshots whose origin is that of a new one too: recall first.

    The one that it is a part of; and of a state that nobody wrote as such, those in which a run
    wrote some of its records.
    """
    if origin.generated_by is not None:
        return []
    parent = origin.parent
    if parent is not None and parent.generated_by_id:  # it says where its own records came from
        members = members - recent.members_of(parent)
        if not members:
            return [parent]
    written = DatasetSnapshot.objects.filter(dataset=dataset, generated_by__isnull=False)
    found = [
        one
        for one in written.select_related("space", "dataset")
        if one != parent and members.intersect(recent.members_of(one))
    ]
    return [parent, *found] if parent else found


def _inherit_edges(node: LineageNode, origins: list[DatasetSnapshot]) -> None:
    """Derive a part of derived data from what the whole was derived from, each way once."""
    edges = LineageEdge.objects.filter(dst__object_id__in=[one.id for one in origins])
    strongest = {edge.src_id: edge for edge in sorted(edges, key=_strength)}
    LineageEdge.objects.bulk_create(
        LineageEdge(
            src_id=edge.src_id,
            dst=node,
            relation=edge.relation,
            role=edge.role,
            influence=edge.influence,
            run_id=edge.run_id,
            valid_from=edge.valid_from,
        )
        for edge in strongest.values()
    )


def _strength(edge: LineageEdge) -> int:
    return (Influence.NONE, Influence.INDIRECT, Influence.DIRECT).index(Influence(edge.influence))
