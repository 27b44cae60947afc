"""Small worlds for the lineage tests."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from pyroaring import BitMap

from lineage.models import (
    DatasetSnapshot,
    DataSubject,
    Influence,
    LineageEdge,
    LineageNode,
    ModelVersion,
    Role,
    Run,
    RunInput,
    RunOutput,
)
from lineage.queries.subjects import find_subject
from lineage.services.importing import Row, ensure_dataset, import_records
from lineage.services.runs import Input, RunPlan, RunResult, begin_run, finish_run
from lineage.services.snapshots import take_snapshot

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from lineage.models import Dataset


def rows(count: int, *, per_person: int = 3, kinds: int = 1_000_000) -> list[Row]:
    """Records in turn of anna, bert, ...; equal contents come again after ``kinds`` records."""
    return [
        Row(
            line=at + 2,
            key=f"photo-{at}",
            subject=f"person{at // per_person}@example.org",
            content=f"content {at % kinds}".encode(),
            target=str(at % 2),
            media_type="text/plain",
        )
        for at in range(count)
    ]


def filled(name: str, count: int, now: datetime, **options: int) -> Dataset:
    """Return a data set with ``count`` records, ordinals from 0."""
    report = import_records(dataset_name=name, rows=rows(count, **options), now=now)
    assert (report.imported, report.rejected) == (count, ())
    return ensure_dataset(name=name)


def snapshot(dataset: Dataset, now: datetime, ordinals: Sequence[int] | None = None):
    """Take a snapshot of some ordinals, or of all that are usable."""
    members = None if ordinals is None else BitMap(ordinals)
    return take_snapshot(dataset=dataset, ordinals=members, now=now)


def trained(name: str, now: datetime, *inputs: Input, **result: Any) -> ModelVersion:  # noqa: ANN401  (of several types)
    """Run a training with these inputs and return its version."""
    plan: dict[str, Any] = {"activity": "TRAIN"}
    told = ("activity", "capture_level", "procedure", "recipe")
    plan |= {key: result.pop(key) for key in told if key in result}
    run = begin_run(plan=RunPlan(**plan, inputs=inputs), now=now)
    written: dict[str, Any] = {"weights": f"weights of {name} {run.pk}".encode(), **result}
    return finish_run(run=run, result=RunResult(model_name=name, **written), now=now)


def found(identifier: str) -> DataSubject:
    """Return the person with this e-mail address, who must exist."""
    subject = find_subject("EMAIL", identifier)
    assert subject is not None
    return subject


def data(source: DatasetSnapshot, role: str = Role.TRAINING) -> Input:
    return Input(source=source, role=role)


def base(source: ModelVersion, role: str = Role.BASE_MODEL) -> Input:
    return Input(source=source, role=role)


def drawn_graph(
    dataset: Dataset,
    now: datetime,
    snapshots: Sequence[set[int]],
    versions: Sequence[Mapping[int, str]],
    forgotten: Mapping[int, set[int]],
    apart: timedelta = timedelta(0),
) -> list[ModelVersion]:
    """Write a graph straight into the tables, quickly and for any shape.

    Args:
        dataset: of the snapshots.
        now: of everything.
        snapshots: members of each; these are the sources 0, 1, ...
        versions: for each, the influence by source; sources go on with the versions before it.
        forgotten: by number of the version, what its run removed.
        apart: time between a version and the next.
    """
    nodes = [
        LineageNode.objects.get(object_id=snapshot(dataset, now, sorted(members)).id)
        for members in snapshots
    ]
    made: list[ModelVersion] = []
    for number, sources in enumerate(versions, 1):
        at = now + number * apart
        run = Run.objects.create(activity="TRAIN", capture_level="SNAPSHOT", started_at=at)
        made.append(
            ModelVersion.objects.create(
                model_name=str(uuid.uuid4()), version=1, generated_by=run, generated_at=at
            )
        )
        nodes.append(LineageNode.objects.create(kind="MODEL", object_id=made[-1].id))
        RunOutput.objects.create(run=run, node=nodes[-1])
        LineageEdge.objects.bulk_create(
            LineageEdge(
                src=nodes[source],
                dst=nodes[-1],
                role=Role.TRAINING,
                influence=influence,
                run=run,
                valid_from=at,
            )
            for source, influence in sources.items()
        )
    for number, members in forgotten.items():
        node = LineageNode.objects.get(object_id=snapshot(dataset, now, sorted(members)).id)
        RunInput.objects.create(
            run=made[number].generated_by, node=node, role=Role.FORGET, influence=Influence.NONE
        )
    return made
