"""A part of the registry, for an export of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from django.db.models import Model

from lineage.models import DatasetSnapshot, ModelVersion, Run

if TYPE_CHECKING:
    import uuid
    from collections.abc import Collection, Iterable, Iterator

    from django.db.models import QuerySet

Row = TypeVar("Row", bound=Model)
_AT_ONCE = 5_000  # ids in one query


def _snapshots() -> QuerySet[DatasetSnapshot]:
    return DatasetSnapshot.objects.select_related("dataset", "space").order_by("created_at", "seq")


def _versions() -> QuerySet[ModelVersion]:
    return ModelVersion.objects.order_by("generated_at", "id")


class Rows(NamedTuple):
    """What an export begins with, each kind in its order."""

    snapshots: Iterable[DatasetSnapshot]
    runs: Iterable[Run]
    versions: Iterable[ModelVersion]


@dataclass(frozen=True, kw_only=True)
class Part:
    """A part of the registry: some snapshots and versions, and the runs that wrote them."""

    objects: frozenset[uuid.UUID] = field(repr=False)
    rows: Rows = field(repr=False)
    runs: frozenset[uuid.UUID] = field(repr=False)

    @staticmethod
    def of(objects: Collection[uuid.UUID]) -> Part:
        """Return the part with these snapshots and versions; runs are read along with them."""
        with_run = "generated_by__procedure"
        snapshots = list(rows_in(_snapshots().select_related(with_run), "id", objects))
        versions = list(rows_in(_versions().select_related(with_run), "id", objects))
        wrote = {one.generated_by for one in versions}
        wrote |= {run for one in snapshots if (run := one.generated_by)}
        return Part(
            objects=frozenset(objects),
            rows=Rows(
                snapshots, sorted(wrote, key=lambda run: (run.started_at, run.id)), versions
            ),
            runs=frozenset(run.id for run in wrote),
        )


def whole() -> Rows:
    """Return the rows of the whole registry, which are many: read as they are written."""
    runs = Run.objects.select_related("procedure").order_by("started_at", "id")
    return Rows(_snapshots().iterator(), runs.iterator(), _versions().iterator())


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
