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
from lineage.queries.chunks import chain_of, chains_of, reaching, rows_by_chunk, rows_of_spaces
from lineage.queries.edges import FOR_EVER
from lineage.queries.prepared import quick_cursor
from lineage.queries.tiles import MOST, slices_of

if TYPE_CHECKING:
    import uuid
    from collections.abc import Mapping
    from datetime import datetime

    from lineage.queries.chunks import Chain

Holding = dict[int, BitMap]  # by number of the snapshot
_NODES = """
SELECT s.space_id, s.seq, n.id
FROM lineage_datasetsnapshot s JOIN lineage_lineagenode n ON n.object_id = s.id
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
    return nodes_holding_together({space: ordinals}, as_of=as_of)[space]


def nodes_holding_together(
    records: Mapping[OrdinalSpace, BitMap], *, as_of: datetime = FOR_EVER
) -> dict[OrdinalSpace, dict[int, BitMap]]:
    """Return ``nodes_holding`` of ordinals in several spaces."""
    spaces = {space.pk: space for space in records}
    found: dict[OrdinalSpace, dict[int, BitMap]] = {space: {} for space in records}
    every = {space.pk: held for space, held in holding_together(records).items()}
    parts, values = [], list[Any]()
    until = connection.ops.adapt_datetimefield_value(as_of)
    for pk, holding in every.items():
        if holding:
            parts.append(_NODES if as_of == FOR_EVER else _NODES + _THERE)
            values += [pk, min(holding), max(holding)]
            values += [] if as_of == FOR_EVER else [until, until]
    if not parts:
        return found
    with quick_cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts), values)
        for pk, seq, node in cursor.fetchall():
            if seq in every[pk]:
                own = found[spaces[pk]]
                own[node] = own.get(node, BitMap()) | every[pk][seq]
    return found


def holding_of(space: OrdinalSpace, ordinals: BitMap) -> Holding:
    """Return the same by number of the snapshot in its space: the quickest form."""
    return holding_together({space: ordinals})[space]


def holding_together(records: Mapping[OrdinalSpace, BitMap]) -> dict[OrdinalSpace, Holding]:
    """Return ``holding_of`` ordinals in several spaces, in as many queries as for one space."""
    told = slices_of({space: held for space, held in records.items() if len(held) <= MOST})
    found: dict[OrdinalSpace, Holding] = {space: {} for space in records}
    covered: dict[OrdinalSpace, set[int]] = {}  # the snapshots that tiles tell of
    for space in records:
        groups, snapshots = told.get(space, ({}, 0))
        for group, known in groups.items():
            found[space] |= holders(known.slices, first=group * GROUP)
        if not groups or snapshots > sum(known.covered for known in groups.values()):
            covered[space] = {
                group * GROUP + place
                for group, known in groups.items()
                for place in range(known.covered)
            }
    if covered:
        for space, holding in _not_told(records, covered).items():
            found[space] |= holding
    return found


def _not_told(
    records: Mapping[OrdinalSpace, BitMap], covered: Mapping[OrdinalSpace, set[int]]
) -> dict[OrdinalSpace, Holding]:
    """Return what the snapshots hold that no tile tells of."""
    wanted = {}
    for space, chain in chains_of(covered.keys()).items():
        rest = (seq for seq, _ in chain if seq not in covered[space])
        wanted[space] = records[space], reaching(chain, rest)
    return {
        space: {seq: hits for seq, hits in holding.items() if seq not in covered[space]}
        for space, holding in _by_chunks(wanted).items()
    }


def holding_by_chunks(space: OrdinalSpace, ordinals: BitMap, chain: Chain) -> Holding:
    """Return which of some ordinals each snapshot of the chain holds, from chunks alone."""
    return _by_chunks({space: (ordinals, chain)})[space]


def _by_chunks(
    wanted: Mapping[OrdinalSpace, tuple[BitMap, Chain]],
) -> dict[OrdinalSpace, Holding]:
    found: dict[OrdinalSpace, Holding] = {space: {} for space in wanted}
    places = {space: (chunk_numbers(held), chain) for space, (held, chain) in wanted.items()}
    for space, number, rows in rows_of_spaces(places):
        ordinals, chain = wanted[space]
        holding = found[space]
        here = ordinals & BitMap(range(number * CHUNK_SIZE, (number + 1) * CHUNK_SIZE))
        narrow = {seq: (is_delta, bitmap & here) for seq, (is_delta, bitmap) in rows.items()}
        for seq, hits in states(chain, narrow).items():
            holding[seq] = holding[seq] | hits if seq in holding else hits
    return found
