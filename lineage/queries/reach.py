"""From records to every node of the graph that they act on: the quick part of each question."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from django.db import connection
from pyroaring import BitMap

from lineage.core.bitmaps import merged, union
from lineage.core.graph import descendants
from lineage.core.influence import carried
from lineage.models import Role
from lineage.queries.availability import valid_together
from lineage.queries.edges import FOR_EVER, edges_below, with_sources
from lineage.queries.membership import nodes_holding_together
from lineage.queries.traces import traced_together

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from lineage.core.graph import Edge, Ends
    from lineage.models import OrdinalSpace
    from lineage.queries.traces import Traces

Key = TypeVar("Key")
# What each run removed on purpose, with what it wrote.
_FORGOTTEN = """
SELECT o.node_id, i.run_id, i.node_id FROM ({sources}) s
CROSS JOIN lineage_runinput i JOIN lineage_runoutput o ON o.run_id = i.run_id
WHERE i.node_id = s.node AND i.role = %s
"""
# What each run that wrote some nodes had read otherwise; a run that read nothing has one row.
_READ = """
SELECT o.node_id, o.run_id, i.node_id FROM ({sources}) s
CROSS JOIN lineage_runoutput o
LEFT JOIN lineage_runinput i ON i.run_id = o.run_id AND i.role <> %s
WHERE o.node_id = s.node
"""


@dataclass(frozen=True, kw_only=True)
class Reach:
    """Nodes by small integer, and the records that act on them.

    * ``held``: of each snapshot that holds some of them, which;
    * ``arrived``: of each node on which a hard purge left a trace of some of them, which;
    * ``removed``: the same as ``held``, and of forget sets what they had held before a purge;
    * ``edges``: every edge on a way down from those snapshots;
    * ``cuts``: by the two ends of an edge, what was removed on purpose on that way;
    * ``acting``: what acts on each node, sources before what was derived from them; a node on
      which nothing acts any more has an empty set;
    * ``came``: what of it came from another node.
    """

    held: dict[int, BitMap] = field(repr=False)
    arrived: dict[int, BitMap] = field(repr=False)
    removed: dict[int, BitMap] = field(repr=False)
    edges: list[Edge] = field(repr=False)
    cuts: dict[Ends, BitMap] = field(repr=False)
    acting: dict[int, BitMap] = field(repr=False)
    came: dict[int, BitMap] = field(repr=False)


def reached(space: OrdinalSpace, ordinals: BitMap, *, as_of: datetime = FOR_EVER) -> Reach:
    """Return what some records act on, as it was known at a time.

    Records that had not come yet or were erased by then are left out.

    Raises:
        ChunkAltered, TileAltered: stored membership is not what was written.
    """
    return reached_together({space: ordinals}, as_of=as_of)[space]


def reached_together(
    records: Mapping[OrdinalSpace, BitMap], *, as_of: datetime = FOR_EVER
) -> dict[OrdinalSpace, Reach]:
    """Return ``reached`` of records in several spaces, in few more queries than for one space."""
    valid = records if as_of == FOR_EVER else valid_together(records, as_of)
    holding = nodes_holding_together(valid, as_of=as_of)
    traces = traced_together(valid, as_of=as_of)
    known = {space: merged(holding[space], traces[space].removed) for space in valid}
    starts = {space: {*known[space], *traces[space].arrived} for space in valid}
    below = _below(starts, as_of)
    cuts = _cuts_together({space: (known[space], below[space]) for space in valid})
    return {
        space: _reach(holding[space], traces[space], known[space], below[space], cuts[space])
        for space in valid
    }


def _reach(
    held: dict[int, BitMap],
    traces: Traces,
    known: dict[int, BitMap],
    edges: list[Edge],
    cuts: dict[Ends, BitMap],
) -> Reach:
    # Whatever read a forget set otherwise than to remove it learned from what it had held.
    came = merged(*traces)
    flow = carried(edges, held, cuts, came)
    return Reach(
        held=held,
        arrived=came,
        removed=known,
        edges=edges,
        cuts=cuts,
        acting=flow.acting,
        came=flow.came,
    )


def _below(
    starts: Mapping[OrdinalSpace, set[int]], as_of: datetime
) -> dict[OrdinalSpace, list[Edge]]:
    """Return every edge below the nodes of each space, found in one walk."""
    every = set().union(*starts.values())
    edges = edges_below(every, as_of=as_of) if every else []
    if len(starts) == 1:
        return dict.fromkeys(starts, edges)
    found = {}
    for space, nodes in starts.items():
        passed = descendants(edges, nodes)
        found[space] = [edge for edge in edges if edge.src in passed]
    return found


def cuts_of(held: dict[int, BitMap], edges: Sequence[Edge]) -> dict[Ends, BitMap]:
    """Return, by the ends of an edge, the records that do not pass on it.

    A run passes on nothing of its forget set. Where several runs say that they wrote one node, a
    record is stopped between two nodes only if each of those that read the one removed it.
    """
    return _cuts_together({None: (held, edges)})[None]


def _cuts_together(
    parts: Mapping[Key, tuple[dict[int, BitMap], Sequence[Edge]]],
) -> dict[Key, dict[Ends, BitMap]]:
    """Return the cuts of records that are held and of the edges below them, for each part."""
    every = {node for held, edges in parts.values() if edges for node in held}
    forgotten = _grouped(_FORGOTTEN, every) if every else {}
    read = _grouped(_READ, {node for node, _run in forgotten}) if forgotten else {}
    return {key: _cuts(*part, forgotten, read) for key, part in parts.items()}


def _cuts(
    held: dict[int, BitMap],
    edges: Sequence[Edge],
    forgotten: dict[tuple[int, str], set[int]],
    read: dict[tuple[int, str], set[int]],
) -> dict[Ends, BitMap]:
    removed = {
        writing: union(held[source] for source in sources & held.keys())
        for writing, sources in forgotten.items()
        if not sources.isdisjoint(held)
    }
    written = {node for node, _run in removed}
    writers: dict[int, list[BitMap]] = {}
    readers: dict[Ends, list[BitMap]] = {}
    for (node, run), sources in read.items():
        gone = removed.get((node, run), BitMap())
        writers.setdefault(node, []).append(gone)
        for source in sources:
            readers.setdefault((source, node), []).append(gone)
    ends = ((edge.src, edge.dst) for edge in edges if edge.dst in written)
    return {each: BitMap.intersection(*readers.get(each, writers[each[1]])) for each in ends}


def _grouped(statement: str, nodes: Iterable[int]) -> dict[tuple[int, str], set[int]]:
    """Return what a statement finds about some nodes, by (node, run)."""
    with connection.cursor() as cursor:
        cursor.execute(with_sources(statement), [json.dumps(sorted(nodes)), Role.FORGET])
        rows = cursor.fetchall()
    found: dict[tuple[int, str], set[int]] = {}
    for node, run, source in rows:
        found.setdefault((node, str(run)), set()).update([source] if source is not None else [])
    return found
