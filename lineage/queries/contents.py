"""The contents of records, read in batches and verified."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from pyroaring import BitMap

from lineage import artifacts
from lineage.core.bitmaps import union
from lineage.models import RecordContent

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lineage.models import OrdinalSpace

BATCH = 256


@dataclass(frozen=True, kw_only=True)
class Record:
    """One record as training sees it."""

    ordinal: int
    content: bytes = field(repr=False)
    target: str
    media_type: str


def batches(ordinals: Iterable[int]) -> Iterator[list[int]]:
    """Yield the ordinals in lists of at most ``BATCH``."""
    rest = iter(ordinals)
    while batch := list(islice(rest, BATCH)):
        yield batch


def stored(space: OrdinalSpace, ordinals: BitMap) -> BitMap:
    """Return those records whose content is stored here: neither erased nor kept elsewhere."""
    rows = RecordContent.objects.filter(space=space)
    return union(
        BitMap(rows.filter(ordinal__in=batch).values_list("ordinal", flat=True))
        for batch in batches(ordinals)
    )


def targets_of(space: OrdinalSpace, ordinals: BitMap) -> dict[int, str]:
    """Return the targets of those records whose content is stored here, unread."""
    rows = RecordContent.objects.filter(space=space)
    found: dict[int, str] = {}
    for batch in batches(ordinals):
        found.update(rows.filter(ordinal__in=batch).values_list("ordinal", "target"))
    return found


def read_batch(space: OrdinalSpace, batch: list[int]) -> list[Record]:
    """Return the records of some ordinals, in the order given.

    Raises:
        ArtefactMissing: a record has no content (any more), or its file is missing.
        ArtefactAltered: a file does not hold the bytes that were imported.
    """
    rows = {
        row.ordinal: row for row in RecordContent.objects.filter(space=space, ordinal__in=batch)
    }
    return [_record(space, ordinal, rows.get(ordinal)) for ordinal in batch]


def _record(space: OrdinalSpace, ordinal: int, row: RecordContent | None) -> Record:
    if row is None:
        raise artifacts.ArtefactMissing(f"Record {ordinal} of space {space.name} has no content.")
    return Record(
        ordinal=ordinal,
        content=artifacts.read(row.uri, row.sha256),
        target=row.target,
        media_type=row.media_type,
    )
