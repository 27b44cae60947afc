"""Versions of which nobody recorded what they were trained on, and all derived from them."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, NamedTuple

from django.db import connection

from lineage.models import LineageNode, Role, Run
from lineage.queries.edges import BELOW, as_objects, walked, with_objects, with_sources
from lineage.queries.possible import with_possible, written_outside

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from lineage.core.graph import Edge
    from lineage.models import OrdinalSpace
    from lineage.queries.possible import Written

# What runs wrote that were not captured, but for some of them; of data sets all their states.
_WRITTEN = """
WITH untold(id) AS (
    SELECT id FROM lineage_run WHERE capture_level = %s AND id NOT IN ({objects})
)
SELECT o.node_id AS node FROM untold u JOIN lineage_runoutput o ON o.run_id = u.id
UNION
SELECT n.id FROM untold u JOIN lineage_modelversion v ON v.generated_by_id = u.id
JOIN lineage_lineagenode n ON n.object_id = v.id
UNION
SELECT n.id FROM lineage_datasetsnapshot t JOIN lineage_lineagenode n ON n.object_id = t.id
WHERE t.dataset_id IN (
    SELECT s.dataset_id FROM untold u JOIN lineage_runoutput o ON o.run_id = u.id
    JOIN lineage_lineagenode w ON w.id = o.node_id
    JOIN lineage_datasetsnapshot s ON s.id = w.object_id
)
"""
# What such runs say that they read, and whether they also named a file that nobody knows.
_DECLARED = """
SELECT DISTINCT i.run_id, s.dataset_id, s.space_id, p.next_ordinal > 0, EXISTS (
    SELECT 1 FROM lineage_receivedevent e JOIN lineage_namedlocation l ON l.event_id = e.sha256
    WHERE e.run_id = r.id AND NOT l.matched
)
FROM lineage_run r JOIN lineage_runinput i ON i.run_id = r.id
JOIN lineage_lineagenode n ON n.id = i.node_id
LEFT JOIN lineage_datasetsnapshot s ON s.id = n.object_id
LEFT JOIN lineage_ordinalspace p ON p.id = s.space_id
WHERE r.capture_level = %s AND n.kind = %s AND i.role <> %s
"""
_OF_SPACES = """
SELECT n.id AS node FROM ({sources}) p
JOIN lineage_datasetsnapshot s ON s.space_id = p.node
JOIN lineage_lineagenode n ON n.object_id = s.id
"""
# The data sets of spaces and of all whose records were derived from them, and those of some nodes.
_DERIVED = """
WITH RECURSIVE mapped(space) AS (
    {sources}
    UNION
    SELECT b.derived_space_id FROM mapped m
    JOIN lineage_recordmapblock b ON b.source_space_id = m.space
)
SELECT d.id FROM mapped m JOIN lineage_dataset d ON d.space_id = m.space
UNION
SELECT s.dataset_id FROM ({sources}) x JOIN lineage_lineagenode n ON n.id = x.node
JOIN lineage_datasetsnapshot s ON s.id = n.object_id
"""


class Uncaptured(NamedTuple):
    """Nodes of data and versions, and recorded edges below those that were not captured."""

    nodes: set[int]
    edges: set[Edge]


class _Read(NamedTuple):
    """A data set that a run says it read; ``known``: it holds records of ours."""

    run: uuid.UUID
    dataset: uuid.UUID | None
    space: int | None
    known: bool


def uncaptured_versions(space: OrdinalSpace) -> set[uuid.UUID]:
    """Return the versions that may have learned from any record of a space: see ``uncaptured``."""
    nodes = LineageNode.objects.in_bulk(uncaptured([space]).nodes).values()
    return {node.object_id for node in nodes if node.kind == LineageNode.Kind.MODEL}


def uncaptured(
    spaces: Collection[OrdinalSpace], told: Mapping[int, Written] | None = None
) -> Uncaptured:
    """Return all that may have learned from any record of some spaces, or may hold some.

    A run whose membership was not captured counts, unless all that it read are data sets of
    other spaces that hold records. Recall comes first: what was derived from anything that it
    wrote counts too, and so does what read any state of a data set that it wrote. ``told`` is of
    ``written_outside``, where it was asked before.
    """
    if not spaces:
        return Uncaptured(set(), set())
    told = written_outside() if told is None else told
    values = [Run.Capture.NONE, as_objects(_elsewhere(spaces, told))]
    starts, edges = walked(with_objects(_WRITTEN), values, BELOW)
    return Uncaptured(_reached(starts, edges, told) | starts, set(edges))


def _reached(
    nodes: Iterable[int], edges: Collection[Edge], told: Mapping[int, Written]
) -> set[int]:
    wide = with_possible({*nodes, *(edge.dst for edge in edges)}, edges, told)
    return {edge.dst for edge in wide if edge.dst >= 0}


def _elsewhere(spaces: Iterable[OrdinalSpace], told: Mapping[int, Written]) -> set[uuid.UUID]:
    """Return runs of which it is known that they read none of the spaces.

    A space that never handed out an ordinal stands for data that is not known here, and a file
    that was matched with no record may be anybody's. Data that was derived from the space, by
    whatever way, is not elsewhere, in whichever state it was read.
    """
    declared = _declared()
    runs = {one.run for one in declared} - {one.run for one in declared if not one.known}
    own = {space.id for space in spaces}
    runs -= {one.run for one in declared if one.space in own}
    if not runs:
        return runs
    derived = _derived_from(own, told)
    return runs - {one.run for one in declared if one.dataset in derived}


def _declared() -> list[_Read]:
    """Return what is known of the inputs of runs that were not captured; a forget set is none."""
    with connection.cursor() as cursor:
        cursor.execute(_DECLARED, [Run.Capture.NONE, LineageNode.Kind.SNAPSHOT, Role.FORGET])
        return [
            _Read(_id(run), _id(dataset) if dataset else None, space, bool(holds) and not unclear)
            for run, dataset, space, holds, unclear in cursor.fetchall()
        ]


def _derived_from(spaces: Collection[int], told: Mapping[int, Written]) -> set[uuid.UUID]:
    """Return the data sets some state of which was derived from data of some spaces."""
    asked = json.dumps(sorted(spaces))
    starts, edges = walked(with_sources(_OF_SPACES), [asked], BELOW)
    below = sorted(_reached(starts, edges, told))
    with connection.cursor() as cursor:
        cursor.execute(with_sources(_DERIVED), [asked, json.dumps(below)])
        return {_id(dataset) for (dataset,) in cursor.fetchall()}


def _id(value: object) -> uuid.UUID:
    """Return an id as the database gave it: SQLite has texts."""
    return uuid.UUID(str(value))
