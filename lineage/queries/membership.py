"""Which records a snapshot holds, and which snapshots hold some records."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from pyroaring import BitMap

from lineage.core.bitmaps import CHUNK_SIZE, chunk_numbers, split, union
from lineage.core.deltas import states
from lineage.core.membership import snapshot_digest
from lineage.core.membership_proof import prove
from lineage.core.tiles import GROUP
from lineage.models import DatasetSnapshot, OrdinalSpace
from lineage.queries.chunks import chain_of, chains, reaching, rows_by_chunk
from lineage.queries.tiles import MOST, covered_groups, histories

if TYPE_CHECKING:
    import uuid

    from lineage.queries.chunks import Chain

Holding = dict[int, BitMap]  # by number of the snapshot


class SnapshotAltered(ValueError):
    """The chunks of a snapshot are not those it was taken with: one is missing or replaced."""


def members(snapshot: DatasetSnapshot) -> BitMap:
    """Return the ordinals of a snapshot, with every chunk and the whole digest verified.

    Raises:
        ChunkAltered: a chunk is not what was written.
        SnapshotAltered: the set of chunks is not what was written.
    """
    # Naming the chunk numbers lets the primary key (space, chunk, snapshot) find each row.
    ordinals = OrdinalSpace.objects.values_list("next_ordinal", flat=True).get(
        id=snapshot.space_id
    )
    chain = chain_of(snapshot)
    numbers = range(-(-ordinals // CHUNK_SIZE))
    found = union(
        states(chain, rows).get(snapshot.seq, BitMap())
        for _, rows in rows_by_chunk(snapshot.space, numbers, chain)
    )
    whole = split(found)
    digest = snapshot_digest((chunk.number, chunk.sha256) for chunk in whole)
    if digest != snapshot.digest:
        raise SnapshotAltered(
            f"The {len(whole)} chunks of snapshot {snapshot} have the digest {digest}; "
            f"it was taken with {snapshot.digest}."
        )
    return found


def membership_proof(snapshot: DatasetSnapshot, ordinal: int) -> dict[str, Any]:
    """Return a proof that a snapshot holds a record, or does not; see ``membership_proof.verify``.

    Raises as ``members``.
    """
    return prove(split(members(snapshot)), ordinal)


def snapshots_holding(space: OrdinalSpace, ordinals: BitMap) -> dict[uuid.UUID, BitMap]:
    """Return, by snapshot, which of some ordinals it holds; only what is concerned is read.

    Tiles tell of the snapshots that they cover, chunks of all later ones.

    Raises:
        ChunkAltered, TileAltered: what was read is not what was written.
    """
    holding = _holding(space, ordinals)
    if not holding:
        return {}
    ids = dict(
        DatasetSnapshot.objects.filter(
            space=space, seq__range=(min(holding), max(holding))
        ).values_list("seq", "id")
    )
    return {ids[seq]: hits for seq, hits in sorted(holding.items())}


def _holding(space: OrdinalSpace, ordinals: BitMap) -> Holding:
    covered = covered_groups(space) if len(ordinals) <= MOST else {}
    if not covered:
        return holding_by_chunks(space, ordinals, chains(space))
    holding = _by_tiles(space, ordinals, covered)
    told = {
        seq
        for group, count in covered.items()
        for seq in range(group * GROUP, group * GROUP + count)
    }
    taken = OrdinalSpace.objects.values_list("next_seq", flat=True).get(id=space.id)
    if taken > len(told):
        every = chains(space)
        chain = reaching(every, (seq for seq, _ in every if seq not in told))
        holding |= {
            seq: hits
            for seq, hits in holding_by_chunks(space, ordinals, chain).items()
            if seq not in told
        }
    return holding


def _by_tiles(space: OrdinalSpace, ordinals: BitMap, covered: dict[int, int]) -> Holding:
    by_seq: dict[int, list[int]] = defaultdict(list)
    for group, count in covered.items():
        for ordinal, seqs in histories(space, group, count, ordinals):
            for seq in seqs.tolist():
                by_seq[seq].append(ordinal)
    return {seq: BitMap(found) for seq, found in by_seq.items()}


def holding_by_chunks(space: OrdinalSpace, ordinals: BitMap, chain: Chain) -> Holding:
    """Return which of some ordinals each snapshot of the chain holds, from chunks alone."""
    holding: Holding = {}
    for number, rows in rows_by_chunk(space, chunk_numbers(ordinals), chain):
        wanted = ordinals & BitMap(range(number * CHUNK_SIZE, (number + 1) * CHUNK_SIZE))
        narrow = {seq: (is_delta, bitmap & wanted) for seq, (is_delta, bitmap) in rows.items()}
        for seq, hits in states(chain, narrow).items():
            holding[seq] = holding[seq] | hits if seq in holding else hits
    return holding
