"""Where a version stands: beside the others of its model, below its ancestors, on its records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Sum

from lineage.models import LineageEdge, LineageNode, ModelVersion, Role
from lineage.queries.availability import purged_ordinals, restricted_ordinals
from lineage.queries.membership import members
from lineage.queries.sources import training_snapshots

if TYPE_CHECKING:
    from uuid import UUID

    from django.db.models import QuerySet

    from lineage.models import DatasetSnapshot

MOST_SIBLINGS, MOST_LEVELS, MOST_ANCESTORS = 12, 8, 60


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
    levels = LineageEdge.objects.filter(src__kind=LineageNode.Kind.MODEL).select_related("src")
    above = levels.filter(dst__object_id=version.pk)
    found: dict[UUID, tuple[int, LineageEdge]] = {}
    for steps in range(1, MOST_LEVELS + 1):
        edges = [one for one in above.order_by("src_id") if one.src.object_id not in found]
        found |= {one.src.object_id: (steps, one) for one in edges}
        if not edges or len(found) > MOST_ANCESTORS:
            break
        above = levels.filter(dst__in=[one.src_id for one in edges])
    listed = dict(list(found.items())[:MOST_ANCESTORS])
    versions = ModelVersion.objects.in_bulk(list(listed)) if listed else {}
    ancestors = tuple(
        Ancestor(
            version=versions[pk],
            steps=steps,
            role=Role(edge.role).label,
            influence=edge.get_influence_display(),
        )
        for pk, (steps, edge) in listed.items()
        if pk in versions
    )
    return Ancestry(ancestors=ancestors, cut=bool(edges) or len(found) > len(listed))


def records_of(version: ModelVersion) -> list[Records]:
    """Return how many of the records it was trained on are set aside, and erased since."""
    return [_records(snapshot) for snapshot in training_snapshots(version)]


def shadow_seconds_of(version: ModelVersion) -> float:
    """Return how long the shadow models of audits that came from a version were trained."""
    came = LineageEdge.objects.filter(src__object_id=version.pk).values("dst__object_id")
    shadows = ModelVersion.objects.filter(kind=ModelVersion.Kind.SHADOW, pk__in=came)
    found: float | None = shadows.aggregate(spent=Sum("generated_by__seconds"))["spent"]
    return found or 0.0


def _records(snapshot: DatasetSnapshot) -> Records:
    try:
        own = members(snapshot)
    except ValueError:  # altered chunks: the page is shown, and ``fsck`` says what is wrong
        return Records(snapshot=snapshot, restricted=None, erased=None)
    space = snapshot.space
    return Records(
        snapshot=snapshot,
        restricted=own.intersection_cardinality(restricted_ordinals(space)),
        erased=own.intersection_cardinality(purged_ordinals(space)),
    )
