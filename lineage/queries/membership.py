"""Which records a snapshot holds, and which snapshots hold some records."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lineage.core.bitmaps import CHUNK_SIZE, Chunk, chunk_numbers, open_chunk, union
from lineage.core.membership import snapshot_digest
from lineage.models import DatasetSnapshot, OrdinalSpace, SnapshotChunk

if TYPE_CHECKING:
    import uuid
    from collections.abc import Iterable, Iterator

    from pyroaring import BitMap

_AT_ONCE = 500  # values in one IN (...), far below the limit of any database


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
    numbers = range(-(-ordinals // CHUNK_SIZE))
    rows = list(_rows(snapshot.space, numbers, seq=snapshot.seq))
    digest = snapshot_digest((row.chunk_no, bytes(row.sha256)) for row in rows)
    if digest != snapshot.digest:
        raise SnapshotAltered(
            f"The {len(rows)} chunks of snapshot {snapshot} have the digest {digest}; "
            f"it was taken with {snapshot.digest}."
        )
    return union(_opened(row, snapshot.space, str(snapshot)) for row in rows)


def snapshots_holding(space: OrdinalSpace, ordinals: BitMap) -> dict[uuid.UUID, BitMap]:
    """Return, by snapshot, which of some ordinals it holds; only the chunks concerned are read.

    Raises:
        ChunkAltered: one of these chunks is not what was written.
    """
    ids = dict(DatasetSnapshot.objects.filter(space=space).values_list("seq", "id"))
    holding: dict[uuid.UUID, BitMap] = {}
    for row in _rows(space, chunk_numbers(ordinals)):
        if hits := _opened(row, space, str(row.seq)) & ordinals:
            snapshot = ids[row.seq]
            holding[snapshot] = holding[snapshot] | hits if snapshot in holding else hits
    return holding


def _rows(
    space: OrdinalSpace, numbers: Iterable[int], *, seq: int | None = None
) -> Iterator[SnapshotChunk]:
    wanted = list(numbers)
    for start in range(0, len(wanted), _AT_ONCE):
        rows = SnapshotChunk.objects.filter(
            space=space, chunk_no__in=wanted[start : start + _AT_ONCE]
        )
        yield from (rows if seq is None else rows.filter(seq=seq)).iterator(_AT_ONCE)


def _opened(row: SnapshotChunk, space: OrdinalSpace, snapshot: str) -> BitMap:
    stored = Chunk(
        number=row.chunk_no,
        encoding=row.encoding,
        cardinality=row.cardinality,
        sha256=bytes(row.sha256),
        payload=bytes(row.bitmap),
    )
    return open_chunk(stored, space=space.name, snapshot=snapshot)
