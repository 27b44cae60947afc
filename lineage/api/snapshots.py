"""Snapshots of data sets: what they are, and not whose records they hold."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from ninja import Router, Schema

from lineage.api.auth import Scope
from lineage.api.pages import Asked, Order, PageOut, page_of
from lineage.queries.listings import snapshot_called, snapshots

if TYPE_CHECKING:
    from django.http import HttpRequest

    from lineage.models import DatasetSnapshot

router = Router(auth=Scope("lineage:read"), tags=["snapshots"])


class SnapshotOut(Schema):
    """A set of records that does not change; ``digest`` is over its members."""

    snapshot: UUID
    dataset: str
    namespace: str
    space: UUID
    number: int
    record_count: int
    digest: str
    external_version: str
    parent: UUID | None
    generated_by: UUID | None
    created_at: datetime


class SnapshotsOut(PageOut):
    """Some snapshots, the newest first."""

    items: list[SnapshotOut]


@router.get("", response=SnapshotsOut, operation_id="list_snapshots")
def list_snapshots(request: HttpRequest, asked: Asked, dataset: str = "") -> dict[str, Any]:
    """List the snapshots of all data sets, or of one by its name."""
    found = snapshots().filter(dataset__name=dataset) if dataset else snapshots()
    return page_of(request, asked, found, Order("created_at"), _shown)


@router.get("/{snapshot_id}", response=SnapshotOut, operation_id="show_snapshot")
def show(request: HttpRequest, snapshot_id: UUID) -> SnapshotOut:
    """Show a snapshot."""
    return _shown(snapshot_called(snapshot_id))


def _shown(snapshot: DatasetSnapshot) -> SnapshotOut:
    return SnapshotOut(
        snapshot=snapshot.pk,
        dataset=snapshot.dataset.name,
        namespace=snapshot.dataset.namespace,
        space=snapshot.space.public_id,
        number=snapshot.seq,
        record_count=snapshot.record_count,
        digest=snapshot.digest,
        external_version=snapshot.external_version,
        parent=snapshot.parent_id,
        generated_by=snapshot.generated_by_id,
        created_at=snapshot.created_at,
    )
