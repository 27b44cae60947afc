"""Which records a snapshot holds, and which snapshots hold some records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import connection
from pyroaring import BitMap

from lineage.core.bitmaps import CHUNK_SIZE, chunk_numbers, split, union
from lineage.core.deltas import states
from lineage.core.membership import snapshot_digest
from lineage.core.membership_proof import prove
from lineage.core.tiles import GROUP, holders
from lineage.models import DatasetSnapshot, OrdinalSpace
from lineage.queries.chunks import chain_of, chains, reaching, rows_by_chunk
from lineage.queries.edges import FOR_EVER
from lineage.queries.prepared import quick_cursor
from lineage.queries.tiles import MOST, slices_of

if TYPE_CHECKING:
    import uuid
    from collections.abc import Mapping
    from datetime import datetime

    from lineage.queries.chunks import Chain
    from lineage.queries.tiles import GroupSlices

Holding = dict[int, BitMap]  # by number of the snapshot
_NODES = """
SELECT s.seq, n.id FROM lineage_datasetsnapshot s JOIN lineage_lineagenode n ON n.object_id = s.id
WHERE s.space_id = %s AND s.seq BETWEEN %s AND %s
"""
# What was read before it was written down here was there all the same: events come late.
_THERE = """
AND (s.created_at <= %s OR EXISTS (
    SELECT 1 FROM lineage_lineageedge e WHERE e.src_id = n.id AND e.valid_from <= %s
))
"""


class SnapshotAltered(ValueError):
    """The chunks of a snapshot are not those it was taken with: one is missing or replaced."""


def members(snapshot: DatasetSnapshot) -> BitMap:
    """Return the ordinals of a snapshot, with every chunk and the whole digest verified.

    Raises:
        ChunkAltered: a chunk is not what was written.
        SnapshotAltered: the set of chunks is not what was written.
    """
    found = put_together(snapshot)
    whole = split(found)
    digest = snapshot_digest((chunk.number, chunk.sha256) for chunk in whole)
    if digest != snapshot.digest:
        raise SnapshotAltered(
            f"The {len(whole)} chunks of snapshot {snapshot} have the digest {digest}; "
            f"it was taken with {snapshot.digest}."
        )
    return found


def put_together(snapshot: DatasetSnapshot) -> BitMap:
    """Return the members of a snapshot without comparing the whole with its digest.

    Raises:
        ChunkAltered: a chunk is not what was written.
    """
    # Naming the chunk numbers lets the primary key (space, chunk, snapshot) find each row.
    ordinals = OrdinalSpace.objects.values_list("next_ordinal", flat=True).get(
        id=snapshot.space_id
    )
    chain = chain_of(snapshot)
    numbers = range(-(-ordinals // CHUNK_SIZE))
    return union(
        states(chain, rows).get(snapshot.seq, BitMap())
        for _, rows in rows_by_chunk(snapshot.space, numbers, chain)
    )


def membership_proof(snapshot: DatasetSnapshot, ordinal: int) -> dict[str, Any]:
    """Return a proof that a snapshot holds a record, or does not; see ``membership_proof.verify``.

    Raises as ``members``.
    """
    return prove(split(members(snapshot)), ordinal)


def snapshots_holding(space: OrdinalSpace, ordinals: BitMap) -> dict[uuid.UUID, BitMap]:
    """Return, by snapshot, which of some ordinals it holds; only what is concerned is read.

    Tiles tell of the snapshots that they cover, chunks of all later ones. Snapshots may share a
    bitmap, so nobody may change one.

    Raises:
        ChunkAltered, TileAltered: what was read is not what was written.
    """
    holding = holding_of(space, ordinals)
    if not holding:
        return {}
    ids = dict(
        DatasetSnapshot.objects.filter(
            space=space, seq__range=(min(holding), max(holding))
        ).values_list("seq", "id")
    )
    return {ids[seq]: hits for seq, hits in sorted(holding.items())}


def nodes_holding(
    space: OrdinalSpace, ordinals: BitMap, *, as_of: datetime = FOR_EVER
) -> dict[int, BitMap]:
    """Return the same by node of the lineage graph, of snapshots taken or read until a time.

    What a hard purge took out is not held any more; see ``traced``.
    """
    found: dict[int, BitMap] = {}
    holding = holding_of(space, ordinals)
    if not holding:
        return found
    places = [space.id, min(holding), max(holding)]
    until = connection.ops.adapt_datetimefield_value(as_of)
    with quick_cursor() as cursor:
        if as_of == FOR_EVER:
            cursor.execute(_NODES, places)
        else:
            cursor.execute(_NODES + _THERE, [*places, until, until])
        for seq, node in cursor.fetchall():
            if seq in holding:
                found[node] = found.get(node, BitMap()) | holding[seq]
    return found


def holding_of(space: OrdinalSpace, ordinals: BitMap) -> Holding:
    """Return the same by number of the snapshot in its space: the quickest form."""
    groups, snapshots = slices_of(space, ordinals) if len(ordinals) <= MOST else ({}, 0)
    if not groups:
        return holding_by_chunks(space, ordinals, chains(space))
    holding: Holding = {}
    for group, known in groups.items():
        holding |= holders(known.slices, first=group * GROUP)
    if snapshots > sum(known.covered for known in groups.values()):
        holding |= _not_told(space, ordinals, groups)
    return holding


def _not_told(space: OrdinalSpace, ordinals: BitMap, groups: Mapping[int, GroupSlices]) -> Holding:
    """Return what the snapshots hold that no tile tells of."""
    told = {
        group * GROUP + place for group, known in groups.items() for place in range(known.covered)
    }
    every = chains(space)
    chain = reaching(every, (seq for seq, _ in every if seq not in told))
    found = holding_by_chunks(space, ordinals, chain)
    return {seq: hits for seq, hits in found.items() if seq not in told}


def holding_by_chunks(space: OrdinalSpace, ordinals: BitMap, chain: Chain) -> Holding:
    """Return which of some ordinals each snapshot of the chain holds, from chunks alone."""
    holding: Holding = {}
    for number, rows in rows_by_chunk(space, chunk_numbers(ordinals), chain):
        wanted = ordinals & BitMap(range(number * CHUNK_SIZE, (number + 1) * CHUNK_SIZE))
        narrow = {seq: (is_delta, bitmap & wanted) for seq, (is_delta, bitmap) in rows.items()}
        for seq, hits in states(chain, narrow).items():
            holding[seq] = holding[seq] | hits if seq in holding else hits
    return holding
