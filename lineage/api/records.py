"""Records by space and ordinal: that they are here and how they stand, never what they hold."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from ninja import Router, Schema

from lineage.api.auth import Scope, key_of
from lineage.api.pages import Asked, Order, PageOut, page_of
from lineage.models import DataRecord
from lineage.queries.availability import restricted_ordinals
from lineage.queries.listings import content_of, record_called, space_called

if TYPE_CHECKING:
    from django.http import HttpRequest

router = Router(auth=Scope("lineage:read"), tags=["records"])


class RecordRowOut(Schema):
    """A record by its name, SPACE:ORDINAL, and since and until when it is here."""

    record: str
    ordinal: int
    generated_at: datetime
    erased_at: datetime | None


class RecordRowsOut(PageOut):
    """Some records in the order of their ordinals."""

    items: list[RecordRowOut]


class RecordFactsOut(RecordRowOut):
    """How a record stands. ``stored``: whether its content is here; else its lineage alone is.

    ``subject``, ``target`` and ``sha256`` say something about a person; they are null unless the
    key has the scope ``subjects:read``.
    """

    restricted: bool
    stored: bool
    media_type: str | None
    size: int | None
    subject: UUID | None
    target: str | None
    sha256: str | None


@router.get("", response=RecordRowsOut, operation_id="list_records")
def list_records(request: HttpRequest, space: str, asked: Asked) -> dict[str, Any]:
    """List the records of a space, which is named by its id or its name."""
    rows = DataRecord.objects.select_related("space").filter(space=space_called(space))
    return page_of(request, asked, rows, BY_ORDINAL, row_of)


@router.get("/{record}", response=RecordFactsOut, operation_id="show_record")
def show(request: HttpRequest, record: str) -> RecordFactsOut:
    """Show how a record stands, by SPACE:ORDINAL."""
    found = record_called(record)
    content = content_of(found)
    whose = "subjects:read" in key_of(request).scopes
    return RecordFactsOut(
        **row_of(found).dict(),
        restricted=found.ordinal in restricted_ordinals(found.space),
        stored=content is not None,
        media_type=content.media_type if content else None,
        size=content.size if content else None,
        subject=found.subject.pseudonym if whose and found.subject else None,
        target=content.target if whose and content else None,
        sha256=content.sha256 if whose and content else None,
    )


BY_ORDINAL = Order("ordinal", "space_id", newest_first=False)


def row_of(record: DataRecord) -> RecordRowOut:
    """Return a record as lists show it."""
    return RecordRowOut(
        record=f"{record.space.public_id}:{record.ordinal}",
        ordinal=record.ordinal,
        generated_at=record.generated_at,
        erased_at=record.invalidated_at,
    )
