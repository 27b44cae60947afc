"""What a model version was made from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models.functions import Coalesce

from lineage.core.bitmaps import union
from lineage.models import DatasetSnapshot, Influence, LineageNode, ModelVersion, Role, RunInput
from lineage.queries.membership import members
from lineage.queries.reach import reached

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from django.db.models import QuerySet
    from pyroaring import BitMap

    from lineage.models import OrdinalSpace


class NoTrainingSnapshot(LookupError):
    """It was not captured on which data a version was trained."""


def base_of(version: ModelVersion) -> ModelVersion | None:
    """Return the version that a version was fine-tuned from."""
    return next(iter(_models(version.generated_by.inputs.filter(role=Role.BASE_MODEL))), None)


def parents_of(version: ModelVersion) -> list[ModelVersion]:
    """Return the versions that a version was made from.

    Its base, its teachers, models that were merged, averaged, quantised or exported, and fitted
    components such as a scaler or a vocabulary.
    """
    return _models(version.generated_by.inputs.exclude(influence=Influence.NONE))


def ancestry(versions: Iterable[ModelVersion]) -> dict[UUID, list[ModelVersion]]:
    """Return the parents of some versions and of all that those were made from, by version.

    In two queries for each step up, however many versions there are.
    """
    found: dict[UUID, list[ModelVersion]] = {}
    fresh = {one.pk: one for one in versions}
    while fresh:
        parents = _parents(fresh.values())
        found |= parents
        above = {one.pk: one for each in parents.values() for one in each}
        fresh = {pk: one for pk, one in above.items() if pk not in found}
    return found


def _parents(versions: Iterable[ModelVersion]) -> dict[UUID, list[ModelVersion]]:
    by_run: dict[Any, list[UUID]] = {}
    found: dict[UUID, list[ModelVersion]] = {}
    for one in versions:
        by_run.setdefault(one.generated_by_id, []).append(one.pk)
        found[one.pk] = []
    inputs = RunInput.objects.filter(run__in=by_run).exclude(influence=Influence.NONE)
    read = list(inputs.order_by("pk").values_list("run_id", "node__object_id"))
    with_runs = ModelVersion.objects.select_related("generated_by")
    models = with_runs.in_bulk({source for _, source in read}) if read else {}
    for run, source in read:
        for child in by_run[run]:
            if source in models and models[source] not in found[child]:
                found[child].append(models[source])
    return found


def _models(inputs: QuerySet[RunInput]) -> list[ModelVersion]:
    ids = list(inputs.values_list("node__object_id", flat=True))
    return list(ModelVersion.objects.select_related("generated_by").filter(pk__in=ids))


def training_snapshots(version: ModelVersion) -> list[DatasetSnapshot]:
    """Return the snapshots of what a version's own training really drew."""
    inputs = version.generated_by.inputs.filter(
        role=Role.TRAINING, node__kind=LineageNode.Kind.SNAPSHOT
    )
    drawn = Coalesce("used_snapshot_id", "node__object_id")
    return list(
        DatasetSnapshot.objects.select_related("dataset", "space").filter(
            pk__in=inputs.values_list(drawn, flat=True)
        )
    )


def training_snapshot(version: ModelVersion) -> DatasetSnapshot:
    """Return the one snapshot that a version was trained on.

    Raises:
        NoTrainingSnapshot: none was captured, or several.
    """
    found = training_snapshots(version)
    if len(found) != 1:
        raise NoTrainingSnapshot(
            f"{version} was captured with {len(found)} training snapshots; one is needed to train "
            "it again. Destroy it, or train it again outside."
        )
    return found[0]


def learned_by(version: ModelVersion, space: OrdinalSpace) -> BitMap:
    """Return the records of a space that a version's own training drew; without its parents'."""
    found = training_snapshots(version)
    return union(members(snapshot) for snapshot in found if snapshot.space_id == space.pk)


def learned_otherwise(version: ModelVersion, space: OrdinalSpace, ordinals: BitMap) -> bool:
    """Return whether records act on a version past the data that its own training drew.

    So through a base or a scaler, through what its training stopped by, or as somebody outside
    told later.
    """
    read = version.generated_by.inputs
    drawn = {snapshot.pk for snapshot in training_snapshots(version)}
    own = set(LineageNode.objects.filter(object_id__in=drawn).values_list("pk", flat=True))
    own |= set(read.filter(role=Role.TRAINING).values_list("node", flat=True))
    others = read.exclude(role=Role.TRAINING).exclude(influence=Influence.NONE)
    own -= set(others.values_list("node", flat=True))
    node = LineageNode.objects.get(object_id=version.pk).pk
    reach = reached(space, ordinals)
    return any(
        edge.dst == node and edge.src not in own and reach.acting.get(edge.src)
        for edge in reach.edges
    )
