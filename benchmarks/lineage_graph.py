"""The graph above the bitmaps: closure over very many runs, and who is found."""

from __future__ import annotations

import random
import uuid
from typing import TYPE_CHECKING, Any

from benchmarks.installation import prepared
from benchmarks.timing import repeated

if TYPE_CHECKING:
    from collections.abc import Sequence

TUNED = 0.4  # share of runs that start from an earlier model
BATCH = 5_000


def closure(runs: int) -> dict[str, Any]:
    """Ask for all that was derived from one of runs / 10 snapshots."""
    prepared()
    from django.db import connection  # noqa: PLC0415  (Django is set up now)

    from lineage.queries.edges import edges_below  # noqa: PLC0415

    nodes = write_graph([uuid.uuid4() for _ in range(max(1, runs // 10))], runs=runs)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
    drawn = random.Random(2)  # noqa: S311  (a sample, not a secret)
    edges_below(nodes[:1])
    return repeated(lambda: [drawn.choice(nodes)], edges_below, 300)


def write_graph(snapshots: Sequence[uuid.UUID], *, runs: int, each: bool = False) -> list[int]:
    """Write runs and versions in bulk and return the nodes of the snapshots.

    Args:
        snapshots: ids of what the runs read; those without a node get one.
        runs: how many.
        each: run number n reads snapshot n; else a random one.
    """
    from django.db import transaction  # noqa: PLC0415
    from django.utils import timezone  # noqa: PLC0415

    from lineage.models import (  # noqa: PLC0415
        LineageEdge,
        LineageNode,
        ModelVersion,
        Run,
        RunOutput,
    )
    from lineage.queries.nodes import nodes_of  # noqa: PLC0415

    now, drawn = timezone.now(), random.Random(1)  # noqa: S311
    with transaction.atomic():
        known = nodes_of(snapshots)
        LineageNode.objects.bulk_create(
            [LineageNode(kind="SNAPSHOT", object_id=one) for one in snapshots if one not in known],
            batch_size=BATCH,
        )
        known = nodes_of(snapshots)
        nodes = [known[one] for one in snapshots]
        done = Run.objects.bulk_create(
            [
                Run(activity="TRAIN", capture_level="SNAPSHOT", started_at=now, state="COMPLETE")
                for _ in range(runs)
            ],
            batch_size=BATCH,
        )
        versions = ModelVersion.objects.bulk_create(
            [
                ModelVersion(model_name="m", version=at, generated_by=run, generated_at=now)
                for at, run in enumerate(done)
            ],
            batch_size=BATCH,
        )
        made = LineageNode.objects.bulk_create(
            [LineageNode(kind="MODEL", object_id=version.id) for version in versions],
            batch_size=BATCH,
        )
        RunOutput.objects.bulk_create(
            [RunOutput(run=run, node=node) for run, node in zip(done, made, strict=True)],
            batch_size=BATCH,
        )
        edges = []
        for at, node in enumerate(made):
            source = nodes[at] if each else drawn.choice(nodes)
            edges.append((source, node.id, "TRAINING", done[at]))
            if at and drawn.random() < TUNED:
                edges.append((made[drawn.randrange(at)].id, node.id, "BASE_MODEL", done[at]))
        LineageEdge.objects.bulk_create(
            [
                LineageEdge(
                    src_id=src, dst_id=dst, role=role, influence="DIRECT", run=run, valid_from=now
                )
                for src, dst, role, run in edges
            ],
            batch_size=BATCH,
        )
    return nodes
