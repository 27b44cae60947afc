"""People by an identifier, which travels in a body and never in an address."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

from ninja import Field, Router, Schema

from lineage.api.auth import Scope
from lineage.api.conventions import HARMLESS, writes
from lineage.api.pages import Asked, page_of
from lineage.api.records import BY_ORDINAL, RecordRowsOut, row_of
from lineage.queries.listings import restricted_of, subject_called
from lineage.queries.subjects import find_subject, records_of

if TYPE_CHECKING:
    from django.http import HttpRequest

    from lineage.models import DataSubject

router = Router(auth=Scope("subjects:read"), tags=["subjects"])


class FindIn(Schema):
    """An identifier as the person or the source system writes it."""

    kind: Literal["EMAIL", "EXTERNAL"]
    value: str = Field(min_length=1, max_length=500)


class SubjectOut(Schema):
    """A person by their pseudonym: how many records are held, by space, and how they stand."""

    subject: UUID
    records: int
    spaces: dict[str, int]
    restricted: int
    created_at: datetime
    erased_at: datetime | None


class FoundOut(Schema):
    """Whether anybody has this identifier; ``subject`` is null where nobody has."""

    found: bool
    subject: SubjectOut | None


@router.post(
    "/find", response=FoundOut, operation_id="find_subject", openapi_extra=writes(HARMLESS)
)
def find(request: HttpRequest, asked: FindIn) -> FoundOut:
    """Find a person by an identifier; nothing is written."""
    found = find_subject(asked.kind, asked.value)
    return FoundOut(found=found is not None, subject=_shown(found) if found else None)


@router.get("/{subject}", response=SubjectOut, operation_id="show_subject")
def show(request: HttpRequest, subject: UUID) -> SubjectOut:
    """Show what is held about a person, by their pseudonym."""
    return _shown(subject_called(subject))


@router.get("/{subject}/records", response=RecordRowsOut, operation_id="list_records_of_subject")
def records(request: HttpRequest, subject: UUID, asked: Asked) -> dict[str, Any]:
    """List the records of a person."""
    rows = subject_called(subject).records.select_related("space")
    return page_of(request, asked, rows, BY_ORDINAL, row_of)


def _shown(subject: DataSubject) -> SubjectOut:
    held = {space.name: len(own) for space, own in records_of(subject).items()}
    return SubjectOut(
        subject=subject.pseudonym,
        records=sum(held.values()),
        spaces=held,
        restricted=restricted_of(subject),
        created_at=subject.created_at,
        erased_at=subject.erased_at,
    )
