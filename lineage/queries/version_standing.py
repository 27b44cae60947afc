"""Where a version stands: beside the others of its model, below its ancestors, on its records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import connection
from django.db.models import UUIDField

from lineage.models import Influence, ModelVersion, Role
from lineage.queries.availability import purged_ordinals, restricted_ordinals
from lineage.queries.membership import members

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.models import QuerySet

    from lineage.models import DatasetSnapshot

MOST_SIBLINGS, MOST_LEVELS, MOST_ANCESTORS, MOST_ROWS = 12, 8, 60, 2000
# One statement, however long the chain.
_ABOVE = """
WITH RECURSIVE above(src_id, steps, role, influence) AS (
    SELECT e.src_id, 1, e.role, e.influence FROM lineage_lineageedge e
    JOIN lineage_lineagenode n ON n.id = e.dst_id WHERE n.object_id = %s
    UNION
    SELECT e.src_id, above.steps + 1, e.role, e.influence FROM lineage_lineageedge e
    JOIN above ON above.src_id = e.dst_id WHERE above.steps < %s
)
SELECT n.object_id, above.steps, above.role, above.influence FROM above
JOIN lineage_lineagenode n ON n.id = above.src_id WHERE n.kind = 'MODEL'
ORDER BY above.steps, n.id LIMIT %s
"""


@dataclass(frozen=True, kw_only=True)
class Ancestor:
    """A version that acts on this one through ``steps`` runs, and how the next one used it."""

    version: ModelVersion
    steps: int
    role: str
    influence: str


@dataclass(frozen=True, kw_only=True)
class Ancestry:
    """The ancestors, the nearest first; ``cut`` where there are more than are listed."""

    ancestors: tuple[Ancestor, ...]
    cut: bool


@dataclass(frozen=True, kw_only=True)
class Records:
    """How the records of a training snapshot stand today; None where its chunks are damaged."""

    snapshot: DatasetSnapshot
    restricted: int | None
    erased: int | None


def siblings_of(version: ModelVersion) -> QuerySet[ModelVersion]:
    """Return the newest versions of the same model, this one among them."""
    same = ModelVersion.objects.filter(model_name=version.model_name, kind=version.kind)
    return same.order_by("-version")[:MOST_SIBLINGS]


def ancestry_of(version: ModelVersion) -> Ancestry:
    """Return the versions that a version was made from, and what those were made from."""
    found: dict[UUID, tuple[int, str, str]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_ABOVE, [_stored(version.pk), MOST_LEVELS + 1, MOST_ROWS])
        for pk, steps, role, influence in cursor.fetchall():
            found.setdefault(UUID(str(pk)), (steps, role, influence))
    near = {pk: told for pk, told in found.items() if told[0] <= MOST_LEVELS}
    listed = dict(list(near.items())[:MOST_ANCESTORS])
    versions = ModelVersion.objects.in_bulk(list(listed)) if listed else {}
    ancestors = tuple(
        Ancestor(
            version=versions[pk],
            steps=steps,
            role=Role(role).label,
            influence=Influence(influence).label,
        )
        for pk, (steps, role, influence) in listed.items()
        if pk in versions
    )
    return Ancestry(ancestors=ancestors, cut=len(found) > len(listed))


def records_of(snapshots: Iterable[DatasetSnapshot]) -> list[Records]:
    """Return how many of the records of training snapshots are set aside, and erased since."""
    return [_records(snapshot) for snapshot in snapshots]


def _stored(pk: UUID) -> UUID | str:
    """Return a key as the database holds it."""
    found: UUID | str = UUIDField().get_db_prep_value(pk, connection)
    return found


def _records(snapshot: DatasetSnapshot) -> Records:
    try:
        own = members(snapshot)
    except ValueError:  # altered chunks: the page is shown, and ``fsck`` says what is wrong
        return Records(snapshot=snapshot, restricted=None, erased=None)
    gone = purged_ordinals(snapshot.space)
    aside = restricted_ordinals(snapshot.space) - gone  # a restriction outlives what it was about
    return Records(
        snapshot=snapshot,
        restricted=own.intersection_cardinality(aside),
        erased=own.intersection_cardinality(gone),
    )
