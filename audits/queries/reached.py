"""What cases reach in the registry, found in one look for all of them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from lineage.core.bitmaps import decode, union
from lineage.models import Restriction
from lineage.queries.closure import affected
from unlearning.core.sharding.touching import touched
from unlearning.queries.histories import shards_of_versions

if TYPE_CHECKING:
    from collections.abc import Collection
    from uuid import UUID

    from pyroaring import BitMap

    from lineage.models import OrdinalSpace
    from unlearning.queries.histories import InShards

WHOLE = 0  # the one place of a version that is not in shards


class Place(NamedTuple):
    """A shard of a version, or all of it."""

    version: str
    shard: int


@dataclass(frozen=True, kw_only=True)
class Hit:
    """Records of one case that act on a version."""

    version: UUID
    space_id: int
    records: BitMap


def reached_by(cases: Collection[UUID]) -> dict[UUID, list[Hit]]:
    """Return the versions that learned from what each case restricts.

    Which records act on a version is asked once, of all of them together: none acts or fails to
    because of another.
    """
    asked: dict[OrdinalSpace, list[tuple[UUID, BitMap]]] = defaultdict(list)
    rows = Restriction.objects.filter(case_id__in=list(cases)).select_related("space")
    for row in rows.order_by("pk"):
        asked[row.space].append((row.case_id, decode(bytes(row.bitmap))))
    found: dict[UUID, list[Hit]] = {case: [] for case in cases}
    for space, restricted in asked.items():
        whole = union(records for _, records in restricted)
        for hit in affected(space, whole).versions:
            for case, records in restricted:
                if acting := records & hit.forget:
                    found[case].append(
                        Hit(version=hit.version.pk, space_id=space.pk, records=acting)
                    )
    return found


def places_of(found: dict[UUID, list[Hit]], *, apart: bool) -> dict[UUID, frozenset[Place]]:
    """Return what is trained again for each case: shards, where ``apart``, and whole versions."""
    versions = {hit.version for hits in found.values() for hit in hits}
    shards = shards_of_versions(versions) if apart else {}
    return {
        case: frozenset(place for hit in hits for place in _places(hit, shards.get(hit.version)))
        for case, hits in found.items()
    }


def _places(hit: Hit, shards: InShards | None) -> list[Place]:
    name = str(hit.version)
    if shards is None:
        return [Place(name, WHOLE)]
    numbers = touched(shards.records, hit.records) if shards.space_id == hit.space_id else []
    # What acts on it otherwise than by being in a shard acts on all of them.
    if not hit.records.issubset(union(shards.records[number] for number in numbers)):
        numbers = list(range(len(shards.records)))
    return [Place(name, number) for number in numbers]
