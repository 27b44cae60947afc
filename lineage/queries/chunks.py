"""Rows of membership chunks, read without building an object for each."""

from __future__ import annotations

from collections import defaultdict
from itertools import groupby, islice
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from django.db import connection

from lineage.core.bitmaps import Chunk, open_chunk

if TYPE_CHECKING:
    import uuid
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from pyroaring import BitMap

    from lineage.models import DatasetSnapshot, OrdinalSpace

Chain = list[tuple[int, int | None]]  # (number, number of the base), each after its base
Rows = dict[int, tuple[bool, "BitMap"]]  # by snapshot: is it a difference, and its bitmap

_AT_ONCE = 100  # chunks in one query
_COLUMNS = "space_id, chunk_no, seq, encoding, cardinality, sha256, bitmap, is_delta"
_CHUNKS = (
    f"SELECT {_COLUMNS} FROM lineage_snapshotchunk "  # noqa: S608  (constants)
    "WHERE space_id = %s AND chunk_no IN ({}) AND seq BETWEEN %s AND %s"
)
_IN_ORDER = " ORDER BY space_id, chunk_no, seq"
_CHAIN = """
WITH RECURSIVE below(seq, base_id) AS (
    SELECT seq, base_id FROM lineage_datasetsnapshot WHERE id = %s
    UNION
    SELECT s.seq, s.base_id FROM lineage_datasetsnapshot s JOIN below b ON s.id = b.base_id
)
SELECT seq FROM below ORDER BY seq
"""
_ALL = (
    "SELECT s.space_id, s.seq, b.seq FROM lineage_datasetsnapshot s "
    "LEFT JOIN lineage_datasetsnapshot b ON b.id = s.base_id "
    "WHERE s.space_id IN ({}) ORDER BY s.seq"
)


def chain_of(snapshot: DatasetSnapshot) -> Chain:
    """Return a snapshot and all that it is stored against, the keyframe first."""
    with connection.cursor() as cursor:
        cursor.execute(_CHAIN, [_key(snapshot.id)])
        seqs = [seq for (seq,) in cursor.fetchall()]
    return list(zip(seqs, [None, *seqs], strict=False))


def chains(space: OrdinalSpace) -> Chain:
    """Return every snapshot of a space with what it is stored against."""
    return chains_of([space])[space]


def chains_of(spaces: Collection[OrdinalSpace]) -> dict[OrdinalSpace, Chain]:
    """Return ``chains`` of each of some spaces."""
    found: dict[int, Chain] = {space.id: [] for space in spaces}
    with connection.cursor() as cursor:
        cursor.execute(_ALL.format(", ".join(["%s"] * len(found))), list(found))
        for pk, seq, base in cursor.fetchall():
            found[pk].append((seq, base))
    return {space: found[space.id] for space in spaces}


def reaching(chain: Chain, seqs: Iterable[int]) -> Chain:
    """Return some of the snapshots of a chain with all that they are stored against."""
    bases = dict(chain)
    needed: set[int] = set()
    for seq in seqs:
        at: int | None = seq
        while at is not None and at not in needed:
            needed.add(at)
            at = bases[at]
    return [(seq, base) for seq, base in chain if seq in needed]


def rows_by_chunk(
    space: OrdinalSpace, numbers: Iterable[int], chain: Chain
) -> Iterator[tuple[int, Rows]]:
    """Yield each chunk that has rows with the verified rows of the snapshots in the chain.

    Raises:
        ChunkAltered: a row is not what was written.
    """
    for _, number, rows in rows_of_spaces({space: (numbers, chain)}):
        yield number, rows


def rows_of_spaces(
    wanted: Mapping[OrdinalSpace, tuple[Iterable[int], Chain]],
) -> Iterator[tuple[OrdinalSpace, int, Rows]]:
    """Yield what ``rows_by_chunk`` does of some chunks of each space, with the space."""
    spaces = {space.id: space for space in wanted}
    known = {space.id: {seq for seq, _ in chain} for space, (_, chain) in wanted.items()}
    places = (
        (space, number)
        for space, (numbers, chain) in wanted.items()
        if chain
        for number in sorted(numbers)
    )
    while part := list(islice(places, _AT_ONCE)):
        found: dict[tuple[int, int], Rows] = defaultdict(dict)
        asked = [
            (space, [number for _, number in some], wanted[space][1])
            for space, some in groupby(part, itemgetter(0))
        ]
        for pk, number, seq, *stored in _read(asked):
            if seq in known[pk]:
                found[pk, number][seq] = _opened(spaces[pk], number, seq, stored)
        for (pk, number), rows in found.items():
            yield spaces[pk], number, rows


def _read(asked: Iterable[tuple[OrdinalSpace, list[int], Chain]]) -> Iterator[tuple[Any, ...]]:
    parts, values = [], list[int]()
    for space, numbers, chain in asked:
        parts.append(_CHUNKS.format(", ".join(["%s"] * len(numbers))))
        values += [space.id, *numbers, chain[0][0], chain[-1][0]]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts) + _IN_ORDER, values)
        while rows := cursor.fetchmany(500):
            yield from rows


def _opened(space: OrdinalSpace, number: int, seq: int, stored: list[Any]) -> tuple[bool, BitMap]:
    encoding, cardinality, sha256, bitmap, is_delta = stored
    chunk = Chunk(
        number=number,
        encoding=encoding,
        cardinality=cardinality,
        sha256=bytes(sha256),
        payload=bytes(bitmap),
    )
    return bool(is_delta), open_chunk(chunk, space=space.name, snapshot=str(seq))


def _key(pk: uuid.UUID) -> uuid.UUID | str:
    """Return a UUID as this database stores it."""
    return pk if connection.features.has_native_uuid_field else pk.hex
