"""Worlds drawn at random, written into the tables, and answered the slow and plain way.

The answers walk record by record over dictionaries and sets and share nothing with the code that
they check. Faces have ordinals 0 to 9, of which 8 and 9 came when others had been erased; captions
have ordinals 0 to 5, and a map says from which faces.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from hypothesis import strategies as st
from pyroaring import BitMap

from lineage import artifacts
from lineage.core import first_steps, record_map
from lineage.models import (
    DataRecord,
    DatasetSnapshot,
    LineageEdge,
    LineageNode,
    ModelVersion,
    OrdinalSpace,
    RecordContent,
    RecordMapBlock,
    Run,
    RunInput,
    RunOutput,
)
from lineage.services.importing import ensure_dataset
from lineage.services.purge import erase_records
from tests.lineage.builders import snapshot

NAMES = ("faces", "captions")
SIZES = (10, 6)
BORN = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
TURN = 4  # hours until some are erased and others come
TO_MODELS = [("TRAINING", "DIRECT"), ("VALIDATION", "INDIRECT"), ("LABELS", "DIRECT")]
FROM_MODELS = [("BASE_MODEL", "DIRECT"), ("SCALER", "INDIRECT"), ("TEACHER", "NONE")]
TO_DATA = [("SOURCE_DATA", "DIRECT"), ("SOURCE_DATA", "NONE")]


@dataclass
class Node:
    """A snapshot (``space`` is 0 or 1) or a version (``space`` is -1)."""

    space: int
    members: set[int] = field(default_factory=set)
    sources: dict[int, tuple[str, str]] = field(default_factory=dict)
    forgets: set[int] = field(default_factory=set)
    again: set[int] = field(default_factory=set)  # what a second writer of it had read
    alone: set[int] = field(default_factory=set)  # ... and the first had not
    captured: bool = True
    recipe: bool = False
    kind: str = "MODEL"
    destroyed: bool = False
    steps: dict[int, int] = field(default_factory=dict)

    @property
    def is_model(self) -> bool:
        return self.space < 0


@dataclass
class World:
    nodes: list[Node]
    pairs: set[tuple[int, int]]
    erased: set[int]
    asked: set[int]

    def derived(self, faces: set[int]) -> set[int]:
        return {made for source, made in self.pairs if source in faces}

    def target(self, ordinal: int) -> str:
        return str(ordinal % 4)


# --- drawing --------------------------------------------------------------------------------

faces, captions = st.integers(0, 9), st.integers(0, 5)


def members(space: int):
    return st.sets(faces if space == 0 else captions, max_size=5)


@st.composite
def worlds(draw):
    """Diamonds, several parents, ways through data, forget sets, shadows and the unknown."""
    nodes = []
    for _ in range(draw(st.integers(1, 3))):
        space = draw(st.sampled_from([0, 0, 1]))
        nodes.append(Node(space=space, members=draw(members(space))))
    for _ in range(draw(st.integers(0, 8))):
        nodes.append(_later(draw, nodes))
    pairs = draw(st.sets(st.tuples(st.integers(0, 7), captions), max_size=6))
    erased = draw(st.sets(st.integers(0, 7), max_size=2))
    return World(nodes=nodes, pairs=pairs, erased=erased, asked=draw(st.sets(faces, max_size=4)))


def _later(draw, nodes: list[Node]) -> Node:
    space = draw(st.sampled_from([-1, -1, -1, 0, 1]))
    node = Node(space=space, members=draw(members(space)) if space >= 0 else set())
    for source in draw(st.sets(st.integers(0, len(nodes) - 1), max_size=3)):
        uses = FROM_MODELS if nodes[source].is_model else TO_MODELS if space < 0 else TO_DATA
        node.sources[source] = draw(st.sampled_from(uses))
    node.forgets = draw(st.one_of(st.just(set()), st.sets(faces, max_size=3)))
    if node.sources and draw(st.booleans()):
        node.again = draw(st.sets(st.sampled_from(sorted(node.sources)), max_size=2))
        node.alone = set() if node.is_model else set(sorted(node.again)[:1])
    if node.is_model:
        node.captured, node.recipe = draw(st.integers(0, 3)) > 0, draw(st.booleans())
        node.kind = draw(st.sampled_from(["MODEL", "MODEL", "MODEL", "COMPONENT", "SHADOW"]))
        node.destroyed = draw(st.integers(0, 7)) == 7
        read = _training(node)
        if len(read) == 1 and draw(st.booleans()):
            held = sorted(nodes[read[0]].members)
            node.steps = {one: draw(st.integers(0, 50)) for one in held}
    return node


def _training(node: Node) -> list[int]:
    return [source for source, (role, _) in node.sources.items() if role == "TRAINING"]


# --- writing --------------------------------------------------------------------------------


@dataclass
class Written:
    spaces: list[OrdinalSpace]
    ids: list[uuid.UUID]  # of the snapshot or version behind each node
    nodes: list[int]  # in the tables

    def place(self, object_id: uuid.UUID) -> int:
        return self.ids.index(object_id)


def written(world: World) -> Written:
    """Write a world; node ``n`` comes ``n`` hours after the first."""
    datasets = [_dataset(name, size) for name, size in zip(NAMES, SIZES, strict=True)]
    _map(world, *(dataset.space for dataset in datasets))
    spaces = [OrdinalSpace.objects.get(name=name) for name in NAMES]
    done = Written(spaces=spaces, ids=[], nodes=[])
    for hour, node in enumerate(world.nodes):
        at = BORN + hour * HOUR
        run = Run.objects.create(
            activity="TRAIN",
            state="COMPLETE",
            capture_level="SNAPSHOT" if node.captured else "NONE",
            recipe="a:B" if node.recipe else "",
            started_at=at,
        )
        made = _version(node, run, at) if node.is_model else None
        taken = made or snapshot(datasets[node.space], at, sorted(node.members))
        row, _ = LineageNode.objects.get_or_create(object_id=taken.id, defaults={"kind": "MODEL"})
        done.ids.append(taken.id)
        done.nodes.append(row.id)
        _connect(world, done, hour, run)
        if node.forgets:
            removed = snapshot(datasets[0], BORN, sorted(node.forgets))
            row = LineageNode.objects.get(object_id=removed.id)
            RunInput.objects.create(run=run, node=row, role="FORGET", influence="NONE")
    if world.erased:
        erase_records(
            case_id=uuid.uuid4(),
            space=spaces[0],
            ordinals=BitMap(world.erased),
            now=BORN + TURN * HOUR,
        )
    return done


def _dataset(name: str, size: int):
    dataset = ensure_dataset(name=name)
    OrdinalSpace.objects.filter(id=dataset.space_id).update(next_ordinal=size)
    space = dataset.space
    DataRecord.objects.bulk_create(
        DataRecord(space=space, ordinal=at, generated_at=BORN if at < 8 else BORN + TURN * HOUR)
        for at in range(size)
    )
    RecordContent.objects.bulk_create(
        RecordContent(
            space=space,
            ordinal=at,
            target=str(at % 4),
            media_type="text/plain",
            uri=artifacts.record_uri(space.public_id, at),
            sha256="",
            size=0,
        )
        for at in range(size)
    )
    return dataset


def _map(world: World, source: OrdinalSpace, derived: OrdinalSpace) -> None:
    pairs = np.array(sorted(world.pairs), dtype=np.int64).reshape(-1, 2)
    for block in record_map.blocks(pairs[:, 0], pairs[:, 1]) if world.pairs else ():
        RecordMapBlock.objects.create(
            source_space=source,
            derived_space=derived,
            block_no=block.number,
            part=0,
            offsets=block.offsets,
            derived=block.derived,
            sha256=block.sha256,
        )


def _version(node: Node, run: Run, at: datetime) -> ModelVersion:
    return ModelVersion.objects.create(
        model_name=str(uuid.uuid4()),
        version=1,
        kind=node.kind,
        generated_by=run,
        generated_at=at,
        state="DESTROYED" if node.destroyed else "ACTIVE",
        invalidated_at=BORN + TURN * HOUR if node.destroyed else None,
    )


def _connect(world: World, done: Written, hour: int, run: Run) -> None:
    node = world.nodes[hour]
    RunOutput.objects.create(run=run, node_id=done.nodes[hour])
    for source, (role, influence) in node.sources.items():
        uses = {"role": role, "influence": influence, "run": run}
        LineageEdge.objects.create(
            src_id=done.nodes[source],
            dst_id=done.nodes[hour],
            valid_from=BORN + hour * HOUR,
            **uses,
        )
        noted: dict[str, Any] = {}
        if node.steps and role == "TRAINING":
            drawn = DatasetSnapshot.objects.get(id=done.ids[source])
            steps = np.array([node.steps[one] for one in sorted(node.steps)])
            noted["used_snapshot"] = drawn
            noted["first_step_blob"] = first_steps.encode(BitMap(node.steps), steps)
        if source not in node.alone:
            RunInput.objects.create(node_id=done.nodes[source], **uses, **noted)
    if node.again:
        other = Run.objects.create(
            activity="TRAIN", state="COMPLETE", capture_level="SNAPSHOT", started_at=run.started_at
        )
        RunOutput.objects.create(run=other, node_id=done.nodes[hour])
        for source in node.again:
            role, influence = node.sources[source]
            RunInput.objects.create(
                run=other, node_id=done.nodes[source], role=role, influence=influence
            )
