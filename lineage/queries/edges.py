"""Edges of the lineage graph below or above some nodes, found by one recursive query."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from django.db import connection

from lineage.core.graph import Edge

if TYPE_CHECKING:
    import uuid
    from collections.abc import Iterable, Mapping, Sequence

FOR_EVER = datetime(9999, 1, 1, tzinfo=UTC)
# UNION (not UNION ALL) on the node alone visits each node once, whatever the shape of the graph.
_REACHED = """
WITH RECURSIVE reached(node) AS (
    {sources}
    UNION
    SELECT e.{to_end} FROM {edges} WHERE {valid}
)
SELECT e.src_id, e.dst_id, e.role, e.influence FROM {edges} WHERE {valid}
"""
# The same, from nodes that a statement selects, in one or both directions; and these nodes.
_FOUND = """
WITH RECURSIVE started(node) AS ({start}){walks}
{edges}SELECT node, 0, '', '' FROM started
"""
_WALK = """,
{name}(node) AS (
    SELECT node FROM started
    UNION
    SELECT e.{to_end} FROM {edges} WHERE {valid}
)"""
_WALKED = "SELECT e.src_id, e.dst_id, e.role, e.influence FROM {edges} WHERE {valid} UNION ALL "
BELOW = {"at_end": "src_id", "to_end": "dst_id"}
ABOVE = {"at_end": "dst_id", "to_end": "src_id"}
# From source data the records are followed one by one; what else acts on it acts on what was
# derived (``Edge.passes``).
_VALID = (
    "(e.influence <> %s OR e.role = 'SOURCE_DATA') "
    "AND e.valid_from <= %s AND (e.valid_to IS NULL OR e.valid_to > %s)"
)
# PostgreSQL takes the few nodes in hand for very many and reads the whole table of edges, which
# costs 100 ms at 100,000 runs. OFFSET 0 keeps it from turning the look-ups into such a join.
_EDGES = {
    "sqlite": "{name} r JOIN lineage_lineageedge e ON e.{at_end} = r.node",
    "postgresql": (
        "{name} r CROSS JOIN LATERAL "
        "(SELECT * FROM lineage_lineageedge x WHERE x.{at_end} = r.node OFFSET 0) e"
    ),
}
# The nodes travel as one parameter: a list of parameters would be cut at some number.
_SOURCES = {
    "sqlite": "SELECT value AS node FROM json_each(%s)",
    "postgresql": "SELECT value::bigint AS node FROM json_array_elements_text(%s::json)",
}

_OBJECTS = {
    "sqlite": "SELECT value AS id FROM json_each(%s)",
    "postgresql": "SELECT value::uuid AS id FROM json_array_elements_text(%s::json)",
}


class Walked(NamedTuple):
    """The nodes where a walk began, and every edge on its way."""

    starts: frozenset[int]
    edges: frozenset[Edge]


def with_sources(statement: str, **parts: str) -> str:
    """Return a statement whose ``{sources}`` selects nodes from a JSON list, its first value."""
    return statement.format(sources=_SOURCES[connection.vendor], **parts)


def with_objects(statement: str) -> str:
    """Return a statement whose ``{objects}`` selects ids from what ``as_objects`` returns."""
    return statement.format(objects=_OBJECTS[connection.vendor])


def as_objects(ids: Iterable[uuid.UUID]) -> str:
    """Return ids as one parameter."""
    return json.dumps(sorted(one.hex for one in ids))


def edges_below(
    nodes: Iterable[int], *, without: str = "NONE", as_of: datetime = FOR_EVER
) -> list[Edge]:
    """Return every edge on a way down from the nodes that was valid at a time.

    Edges of one influence are left out, but for those from source data.
    """
    return _edges(nodes, without, as_of, BELOW)


def edges_above(
    nodes: Iterable[int], *, without: str = "NONE", as_of: datetime = FOR_EVER
) -> list[Edge]:
    """Return every edge on a way up from the nodes; left out is what ``edges_below`` leaves."""
    return _edges(nodes, without, as_of, ABOVE)


def _edges(
    nodes: Iterable[int], without: str, as_of: datetime, ends: Mapping[str, str]
) -> list[Edge]:
    edges = _EDGES[connection.vendor].format(name="reached", **ends)
    statement = with_sources(_REACHED, edges=edges, valid=_VALID, **ends)
    at = connection.ops.adapt_datetimefield_value(as_of)
    with connection.cursor() as cursor:
        cursor.execute(statement, [json.dumps(sorted(nodes)), *([without, at, at] * 2)])
        return [Edge(*row) for row in cursor.fetchall()]


def walked(
    start: str,
    values: Sequence[str | int],
    *directions: Mapping[str, str],
    without: str = "NONE",
    as_of: datetime = FOR_EVER,
) -> Walked:
    """Return what ``edges_below`` and ``edges_above`` do, from nodes that are yet to be found.

    Args:
        start: a statement that selects the nodes.
        values: its parameters.
        directions: ``BELOW``, ``ABOVE``, or both.
        without: see ``edges_below``.
        as_of: when the edges were valid.
    """
    walks, found = "", ""
    for number, ends in enumerate(directions):
        name = f"reached{number}"
        edges = _EDGES[connection.vendor].format(name=name, **ends)
        walks += _WALK.format(name=name, edges=edges, valid=_VALID, **ends)
        found += _WALKED.format(edges=edges, valid=_VALID)
    at = connection.ops.adapt_datetimefield_value(as_of)
    with connection.cursor() as cursor:
        cursor.execute(
            _FOUND.format(start=start, walks=walks, edges=found),
            [*values, *([without, at, at] * 2 * len(directions))],
        )
        rows = cursor.fetchall()
    return Walked(
        starts=frozenset(row[0] for row in rows if not row[2]),
        edges=frozenset(Edge(*row) for row in rows if row[2]),
    )
