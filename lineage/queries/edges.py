"""Edges of the lineage graph below or above some nodes, found by one recursive query."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from django.db import connection

from lineage.core.graph import Edge

if TYPE_CHECKING:
    from collections.abc import Iterable

# UNION (not UNION ALL) on the node alone visits each node once, whatever the shape of the graph.
_BELOW = """
WITH RECURSIVE reached(node) AS (
    {sources}
    UNION
    SELECT e.dst_id FROM lineage_lineageedge e JOIN reached r ON e.src_id = r.node
    WHERE e.influence <> %s
)
SELECT e.src_id, e.dst_id, e.role, e.influence
FROM lineage_lineageedge e JOIN reached r ON e.src_id = r.node
WHERE e.influence <> %s
"""
_ABOVE = """
WITH RECURSIVE reached(node) AS (
    {sources}
    UNION
    SELECT e.src_id FROM lineage_lineageedge e JOIN reached r ON e.dst_id = r.node
    WHERE e.influence <> %s
)
SELECT e.src_id, e.dst_id, e.role, e.influence
FROM lineage_lineageedge e JOIN reached r ON e.dst_id = r.node
WHERE e.influence <> %s
"""
# The nodes travel as one parameter: a list of parameters would be cut at some number.
_SOURCES = {
    "sqlite": "SELECT value FROM json_each(%s)",
    "postgresql": "SELECT value::bigint FROM json_array_elements_text(%s::json)",
}


def edges_below(nodes: Iterable[int], *, without: str = "NONE") -> list[Edge]:
    """Return every edge on a way down from the nodes, except those of one influence."""
    return _edges(_BELOW, nodes, without)


def edges_above(nodes: Iterable[int], *, without: str = "NONE") -> list[Edge]:
    """Return every edge on a way up from the nodes, except those of one influence."""
    return _edges(_ABOVE, nodes, without)


def _edges(query: str, nodes: Iterable[int], without: str) -> list[Edge]:
    statement = query.format(sources=_SOURCES[connection.vendor])
    with connection.cursor() as cursor:
        cursor.execute(statement, [json.dumps(sorted(nodes)), without, without])
        return [
            Edge(src=src, dst=dst, role=role, influence=influence)
            for src, dst, role, influence in cursor.fetchall()
        ]
