"""Rows about records and chunks, written and looked up in bulk."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from django.db import connection

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from lineage.core.bitmaps import Chunk

_INSERT = (
    "INSERT INTO lineage_datarecord (space_id, ordinal, subject_id, key_hmac, generated_at) "
    "VALUES (%s, %s, %s, %s, %s)"
)
_COPY = (
    "COPY lineage_datarecord (space_id, ordinal, subject_id, key_hmac, generated_at) "
    "FROM STDIN (FORMAT BINARY)"
)
_TYPES = ["int4", "int8", "int8", "bytea", "timestamptz"]
_CHUNK = "space_id, chunk_no, seq, cardinality, encoding, is_delta, sha256, bitmap"
_INSERT_CHUNK = (
    f"INSERT INTO lineage_snapshotchunk ({_CHUNK}) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)"  # noqa: S608
)
_COPY_CHUNKS = f"COPY lineage_snapshotchunk ({_CHUNK}) FROM STDIN (FORMAT BINARY)"
_CHUNK_TYPES = ["int4", "int4", "int4", "int4", "int2", "bool", "bytea", "bytea"]
_RECORDS = {
    "sqlite": (
        "SELECT r.ordinal, r.subject_id, r.key_hmac FROM json_each(%s) s "
        "CROSS JOIN lineage_datarecord r WHERE r.subject_id = s.value AND r.space_id = %s"
    ),
    "postgresql": (
        "SELECT r.ordinal, r.subject_id, r.key_hmac "
        "FROM json_array_elements_text(%s::json) s CROSS JOIN LATERAL (SELECT * FROM "
        "lineage_datarecord x WHERE x.subject_id = s.value::bigint OFFSET 0) r "
        "WHERE r.space_id = %s"
    ),
}
Identity = tuple[int, bytes]  # a person, and the keyed digest of one of their records' keys


def insert_records(
    space_id: int, first: int, identities: Iterable[Identity], generated_at: datetime
) -> None:
    """Write records with consecutive ordinals from ``first``."""
    if connection.vendor == "postgresql":
        _copy(space_id, first, identities, generated_at)
        return
    at = connection.ops.adapt_datetimefield_value(generated_at)
    with connection.cursor() as cursor:
        cursor.executemany(
            _INSERT,
            [
                (space_id, ordinal, subject, digest, at)
                for ordinal, (subject, digest) in enumerate(identities, start=first)
            ],
        )


def _copy(
    space_id: int, first: int, identities: Iterable[Identity], generated_at: datetime
) -> None:
    with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        copy.set_types(_TYPES)
        for ordinal, (subject, digest) in enumerate(identities, start=first):
            copy.write_row((space_id, ordinal, subject, digest, generated_at))


def insert_chunks(space_id: int, seq: int, chunks: Iterable[Chunk]) -> None:
    """Write the rows of a snapshot; into PostgreSQL as the bytes that they are."""
    rows = [
        (
            space_id,
            chunk.number,
            seq,
            chunk.cardinality,
            chunk.encoding,
            chunk.is_delta,
            chunk.sha256,
            chunk.payload,
        )
        for chunk in chunks
    ]
    with connection.cursor() as cursor:
        if connection.vendor != "postgresql":
            cursor.executemany(_INSERT_CHUNK, rows)
            return
        with cursor.copy(_COPY_CHUNKS) as copy:
            copy.set_types(_CHUNK_TYPES)
            for row in rows:
                copy.write_row(row)


def known_records(space_id: int, wanted: set[Identity]) -> dict[Identity, int]:
    """Return the ordinals of those records that a space has already."""
    people = sorted({subject for subject, _ in wanted})
    with connection.cursor() as cursor:
        cursor.execute(_RECORDS[connection.vendor], [json.dumps(people), space_id])
        return {
            identity: ordinal
            for ordinal, subject, digest in cursor.fetchall()
            if (identity := (subject, bytes(digest or b""))) in wanted
        }


def living_people(people: Iterable[int]) -> set[int]:
    """Lock people, in one order for everybody, and return those who were not erased."""
    lock = " FOR UPDATE" if connection.vendor == "postgresql" else ""
    source = (
        "json_array_elements_text(%s::json) s JOIN lineage_datasubject d ON d.id = s.value::bigint"
        if connection.vendor == "postgresql"
        else "json_each(%s) s CROSS JOIN lineage_datasubject d ON d.id = s.value"
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT d.id FROM {source} WHERE d.erased_at IS NULL ORDER BY d.id"  # noqa: S608  (constants)
            + lock.replace("UPDATE", "UPDATE OF d"),
            [json.dumps(sorted(set(people)))],
        )
        return {pk for (pk,) in cursor.fetchall()}
