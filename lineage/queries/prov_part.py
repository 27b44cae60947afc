"""A part of the registry, for an export of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from django.db.models import Model

from lineage.models import DatasetSnapshot, ModelVersion

if TYPE_CHECKING:
    import uuid
    from collections.abc import Collection, Iterator

    from django.db.models import QuerySet

Row = TypeVar("Row", bound=Model)
_AT_ONCE = 5_000  # ids in one query


@dataclass(frozen=True, kw_only=True)
class Part:
    """A part of the registry: some snapshots and versions, and the runs that wrote them."""

    objects: frozenset[uuid.UUID] = field(repr=False)
    runs: frozenset[uuid.UUID] = field(repr=False)

    @staticmethod
    def of(objects: Collection[uuid.UUID]) -> Part:
        """Return the part with these snapshots and versions."""
        runs: set[uuid.UUID | None] = set()
        for batch in _batches(objects):
            versions = ModelVersion.objects.filter(id__in=batch)
            snapshots = DatasetSnapshot.objects.filter(id__in=batch)
            wrote = versions.values_list("generated_by", flat=True)
            runs |= set(wrote.union(snapshots.values_list("generated_by", flat=True)))
        return Part(
            objects=frozenset(objects), runs=frozenset(run for run in runs if run is not None)
        )


def _batches(ids: Collection[uuid.UUID]) -> Iterator[list[uuid.UUID]]:
    ordered = sorted(ids)
    for start in range(0, len(ordered), _AT_ONCE):
        yield ordered[start : start + _AT_ONCE]


def rows_in(rows: QuerySet[Row], column: str, ids: Collection[uuid.UUID] | None) -> Iterator[Row]:
    """Yield all rows, or those with one of some ids in a column."""
    if ids is None:
        yield from rows.iterator()
        return
    for batch in _batches(ids):
        yield from rows.filter(**{f"{column}__in": batch}).iterator()
