"""What a script outside may train on: a snapshot without restricted and erased records."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING
from uuid import UUID

from django.http import HttpResponse
from ninja import Field, Router, Schema

from lineage.api.auth import Scope
from lineage.api.capture import InputMissing
from lineage.api.conventions import BYTES, HARMLESS, writes
from lineage.core.bitmaps import encode
from lineage.models import DatasetSnapshot
from lineage.queries.record_lookup import Named, ordinals_in_view
from lineage.queries.told import TOLD_STATE
from lineage.queries.training_view import TrainingView, training_view

if TYPE_CHECKING:
    from django.http import HttpRequest

router = Router(auth=Scope("capture"), tags=["capture"])
MOST_NAMES = 10_000
MOST_RECORDS = 1_000
# What one run or the look at its result was given: a part, and sometimes the erased people's.
OF_ONE_RUN = ("drawn_by_run", "retain_set_of", "forget_set_of", "beside_forget_set_of")


class ViewOut(Schema):
    """A snapshot and how many of its records may be used now."""

    snapshot: UUID
    dataset: str
    digest: str
    record_count: int
    usable: int


class NameIn(Schema):
    """A record by its person and its key."""

    kind: str = "EXTERNAL"
    subject: str
    key: str


class NamesIn(Schema):
    """Records to find."""

    names: list[NameIn] = Field(max_length=MOST_NAMES)


class OrdinalsOut(Schema):
    """One ordinal for each name, null where the view does not hold it."""

    ordinals: list[int | None]


class RecordOut(Schema):
    """One record; ``content`` is base64."""

    ordinal: int
    media_type: str
    target: str
    content: str


class RecordsOut(Schema):
    """Some records in the order of their ordinals; ``next`` is null after the last."""

    records: list[RecordOut]
    next: int | None


def _view(snapshot_id: UUID) -> TrainingView:
    snapshots = DatasetSnapshot.objects.select_related("dataset", "space")
    snapshot = snapshots.filter(id=snapshot_id).first()
    if snapshot is None:
        raise InputMissing(f"Not here: the snapshot {snapshot_id}.")
    return training_view(snapshot)


def _described(view: TrainingView) -> ViewOut:
    snapshot = view.snapshot
    return ViewOut(
        snapshot=snapshot.id,
        dataset=snapshot.dataset.name,
        digest=snapshot.digest,
        record_count=snapshot.record_count,
        usable=len(view),
    )


@router.get("/datasets/{name}/newest", response=ViewOut, operation_id="newest_view")
def newest(request: HttpRequest, name: str) -> ViewOut:
    """Return the newest snapshot of a data set that was taken here.

    Neither the part that one run was given, nor a state that somebody outside told of.
    """
    taken = DatasetSnapshot.objects.filter(dataset__name=name, dataset__namespace="default")
    taken = taken.exclude(TOLD_STATE).exclude(selection_rule__has_any_keys=OF_ONE_RUN)
    last = taken.order_by("-seq").values_list("id", flat=True).first()
    if last is None:
        raise InputMissing(f"Not here: a data set {name} with a snapshot.")
    return _described(_view(last))


@router.get("/snapshots/{snapshot_id}", response=ViewOut, operation_id="show_view")
def describe(request: HttpRequest, snapshot_id: UUID) -> ViewOut:
    """Return what a snapshot holds."""
    return _described(_view(snapshot_id))


BITMAP = {
    "responses": {
        200: {
            "description": "A portable Roaring bitmap.",
            "content": {BYTES: {"schema": {"type": "string", "format": "binary"}}},
        }
    }
}


@router.get(
    "/snapshots/{snapshot_id}/ordinals", operation_id="list_ordinals", openapi_extra=BITMAP
)
def ordinals(request: HttpRequest, snapshot_id: UUID) -> HttpResponse:
    """Return the usable ordinals as a portable Roaring bitmap."""
    found = encode(_view(snapshot_id).ordinals)
    return HttpResponse(found, content_type=BYTES)


@router.post(
    "/snapshots/{snapshot_id}/translate",
    response=OrdinalsOut,
    operation_id="translate_names",
    openapi_extra=writes(HARMLESS),
)
def translate(request: HttpRequest, snapshot_id: UUID, body: NamesIn) -> OrdinalsOut:
    """Return the ordinals of records that the script knows by person and key."""
    names = [Named(kind=name.kind, subject=name.subject, key=name.key) for name in body.names]
    return OrdinalsOut(ordinals=ordinals_in_view(_view(snapshot_id), names))


@router.get("/snapshots/{snapshot_id}/records", response=RecordsOut, operation_id="read_records")
def records(
    request: HttpRequest, snapshot_id: UUID, start: int = 0, size: int = 256
) -> RecordsOut:
    """Return records with their contents, in pages, from the ordinal ``start``."""
    found = _view(snapshot_id).page(start=max(0, start), size=max(1, min(size, MOST_RECORDS)))
    return RecordsOut(
        records=[
            RecordOut(
                ordinal=record.ordinal,
                media_type=record.media_type,
                target=record.target,
                content=base64.b64encode(record.content).decode(),
            )
            for record in found
        ],
        next=found[-1].ordinal + 1 if found else None,
    )
