"""What the platform knows of all data sets at once, for the record of processing."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import Max

from audits.models import ProcessingActivity, Publication, Recipient
from lineage.core.graph import descendants
from lineage.models import (
    Backup,
    Dataset,
    DatasetSnapshot,
    LineageNode,
    Location,
    ModelVersion,
)
from lineage.queries.edges import edges_below
from lineage.queries.nodes import nodes_of

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime
    from uuid import UUID


_TOLD = (
    *("model_name", "version", "state", "generated_at"),
    *("generated_by__recipe", "generated_by__activity"),
)


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Read together, so that a record of many data sets costs as many queries as one of few.

    ``learned`` are the versions made from any snapshot of a data set, directly or from another
    version; ``last_backup`` is when the last one that is left expires.
    """

    learned: dict[UUID, list[ModelVersion]]
    described: dict[tuple[UUID | None, UUID | None], ProcessingActivity]
    recipients: Sequence[Recipient]
    publications: Sequence[Publication]
    last_backup: datetime | None

    def description(self, target: Dataset | Location | None) -> ProcessingActivity | None:
        """Return the newest description of a data set, a place or, with neither, of requests."""
        dataset = target.pk if isinstance(target, Dataset) else None
        place = target.pk if isinstance(target, Location) else None
        return self.described.get((dataset, place))

    def recipients_of(self, dataset: Dataset) -> list[Recipient]:
        """Return who has the data set, or a version that learned from it."""
        return self._with(self.recipients, dataset)

    def publications_of(self, dataset: Dataset) -> list[Publication]:
        """Return where it, or a version that learned from it, is public."""
        return self._with(self.publications, dataset)

    def _with(self, rows: Sequence[Any], dataset: Dataset) -> list[Any]:
        learned = {one.pk for one in self.learned.get(dataset.pk, ())}
        return [
            row
            for row in rows
            if dataset in row.datasets.all()
            or any(one.pk in learned for one in row.versions.all())
        ]


def processing_facts() -> Facts:
    """Return what is known of every data set, in a fixed number of queries."""
    newest = {
        (one.dataset_id, one.location_id): one
        for one in ProcessingActivity.objects.order_by("number")
    }
    receiving = Recipient.objects.filter(active=True).order_by("name")
    public = Publication.objects.filter(active=True).order_by("address")
    held = Backup.objects.filter(destroyed_at=None)
    return Facts(
        learned=_learned(),
        described=newest,
        recipients=list(receiving.prefetch_related("datasets", "versions")),
        publications=list(public.prefetch_related("datasets", "versions")),
        last_backup=held.aggregate(last=Max("expires_at"))["last"],
    )


def _learned() -> dict[UUID, list[ModelVersion]]:
    snapshots = dict(DatasetSnapshot.objects.values_list("pk", "dataset_id"))
    own: dict[UUID, set[int]] = defaultdict(set)
    for snapshot, node in nodes_of(snapshots).items():
        own[snapshots[snapshot]].add(node)
    every = set().union(*own.values())
    edges = edges_below(every) if every else []
    known = _models({edge.dst for edge in edges})
    found = {}
    for dataset, nodes in own.items():
        reached = descendants(edges, nodes)
        below = {edge.dst for edge in edges if edge.src in reached} & known.keys()
        models = (known[node] for node in below)
        found[dataset] = sorted(models, key=lambda one: (one.model_name, one.version))
    return found


def _models(nodes: Collection[int]) -> dict[int, ModelVersion]:
    """Return the models among some nodes, with what the record says of them and nothing large."""
    objects = dict(LineageNode.objects.filter(pk__in=nodes).values_list("object_id", "pk"))
    models = ModelVersion.objects.filter(kind=ModelVersion.Kind.MODEL, pk__in=objects)
    told = models.select_related("generated_by").only(*_TOLD)
    return {objects[one.pk]: one for one in told}
