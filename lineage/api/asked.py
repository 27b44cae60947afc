"""What a question about lineage is about, and what its answer may tell to this key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lineage.api.auth import key_of, require
from lineage.queries.listings import asked_about

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from django.http import HttpRequest
    from pyroaring import BitMap

    from lineage.models import OrdinalSpace

WHOSE = "subjects:read"


def records_asked(
    request: HttpRequest, record: str, subject: UUID | None
) -> Mapping[OrdinalSpace, BitMap]:
    """Return the records that a call asks about: see ``asked_about``.

    Raises:
        ScopeMissing: it asks about a person, and the key has no scope for people. This comes
            before it is looked whether they are known.
        RecordUnreadable, NotHere: as ``asked_about``.
    """
    if subject:
        require(request, WHOSE, "To ask about a subject")
    return asked_about(record=record, subject=subject)


def telling(request: HttpRequest, answer: dict[str, Any]) -> dict[str, Any]:
    """Return an answer about a version as this key may have it.

    Equal digests tell that two questions were about the same records, so whoever compares them
    learns whose a record is; they are null without the scope for people.
    """
    if WHOSE in key_of(request).scopes:
        return answer
    return {**answer, "forget_set_digest": None}
