"""From records to every node of the graph that they act on: the quick part of each question."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.db import connection

from lineage.core.bitmaps import union
from lineage.core.influence import carried
from lineage.models import Role
from lineage.queries.availability import valid_at
from lineage.queries.edges import FOR_EVER, edges_below, with_sources
from lineage.queries.membership import nodes_holding

if TYPE_CHECKING:
    from datetime import datetime

    from pyroaring import BitMap

    from lineage.core.graph import Edge
    from lineage.models import OrdinalSpace

# What the runs behind versions removed on purpose.
_FORGOTTEN = """
SELECT o.node_id, i.node_id FROM ({sources}) s
CROSS JOIN lineage_runinput i JOIN lineage_runoutput o ON o.run_id = i.run_id
WHERE i.node_id = s.node AND i.role = %s
"""


@dataclass(frozen=True, kw_only=True)
class Reach:
    """Nodes by small integer, and the records that act on them.

    * ``held``: of each snapshot that holds some of them, which;
    * ``edges``: every edge on a way down from those snapshots;
    * ``cuts``: what the run that wrote a node removed on purpose;
    * ``acting``: what acts on each node, sources before what was derived from them; a node on
      which nothing acts any more has an empty set.
    """

    held: dict[int, BitMap] = field(repr=False)
    edges: list[Edge] = field(repr=False)
    cuts: dict[int, BitMap] = field(repr=False)
    acting: dict[int, BitMap] = field(repr=False)


def reached(space: OrdinalSpace, ordinals: BitMap, *, as_of: datetime = FOR_EVER) -> Reach:
    """Return what some records act on, as it was known at a time.

    Records that had not come yet or were erased by then are left out.

    Raises:
        ChunkAltered, TileAltered: stored membership is not what was written.
        LineageHasCycle: the graph is damaged.
    """
    if as_of != FOR_EVER:
        ordinals = valid_at(space, ordinals, as_of)
    held = nodes_holding(space, ordinals, as_of=as_of)
    edges = edges_below(held, as_of=as_of) if held else []
    cuts = cuts_of(held) if held else {}
    return Reach(held=held, edges=edges, cuts=cuts, acting=carried(edges, held, cuts))


def cuts_of(held: dict[int, BitMap]) -> dict[int, BitMap]:
    """Return, of what some snapshots hold, what the run that wrote a node removed on purpose."""
    with connection.cursor() as cursor:
        cursor.execute(with_sources(_FORGOTTEN), [json.dumps(list(held)), Role.FORGET])
        pairs = cursor.fetchall()
    removed: dict[int, list[BitMap]] = {}
    for node, source in pairs:
        removed.setdefault(node, []).append(held[source])
    return {node: union(sets) for node, sets in removed.items()}
