"""Keep where imported records lie, and have the events that named these places matched again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lineage import keys
from lineage.core.identifiers import location_digest
from lineage.models import RecordLocation
from lineage.queries.contents import batches
from lineage.services.openlineage_locations import note_known

if TYPE_CHECKING:
    from collections.abc import Iterable


def add_locations(space_id: int, told: Iterable[tuple[int, str]]) -> None:
    """Keep the places of new records, each with its ordinal, under the lock of the space."""
    key = keys.get_or_create("location")
    _insert(space_id, {(ordinal, location_digest(key, place)) for ordinal, place in told})


def add_more_locations(space_id: int, told: Iterable[tuple[int, str]]) -> int:
    """Keep further places of known records; return how many were not known. As above."""
    key = keys.get_or_create("location")
    found = {(ordinal, location_digest(key, place)) for ordinal, place in told}
    for batch in batches(sorted({ordinal for ordinal, _ in found})):
        rows = RecordLocation.objects.filter(space_id=space_id, ordinal__in=batch)
        known = rows.values_list("ordinal", "digest")
        found -= {(ordinal, bytes(digest)) for ordinal, digest in known}
    _insert(space_id, found)
    return len(found)


def _insert(space_id: int, found: set[tuple[int, bytes]]) -> None:
    RecordLocation.objects.bulk_create(
        (
            RecordLocation(space_id=space_id, digest=digest, ordinal=ordinal)
            for ordinal, digest in sorted(found)
        ),
        batch_size=2_000,
    )
    note_known(digest for _, digest in found)
