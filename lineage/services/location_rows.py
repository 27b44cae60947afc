"""Rows of locations by the thousand: one event may name every file of a data set.

Through the ORM each digest costs several times what the database takes for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import connection
from django.db.models import UUIDField

if TYPE_CHECKING:
    import uuid
    from collections.abc import Iterable, Iterator, Sequence

_AT_ONCE = 5_000
_FOUND = (
    "SELECT digest, ordinal FROM lineage_recordlocation "
    "WHERE space_id = %s AND digest IN ({digests})"
)
_INSERT = (
    "INSERT INTO lineage_namedlocation (event_id, place, digest, matched, due) "
    "VALUES (%s, %s, %s, %s, %s)"
)
_OF_RUN = (
    "UPDATE lineage_namedlocation SET {change} WHERE {only} AND digest IN ({digests}) "
    "AND event_id IN (SELECT sha256 FROM lineage_receivedevent WHERE run_id = %s)"
)
# What to set, and the rows of which it is not so yet.
MATCHED = ("matched = true", "NOT matched")
NO_LONGER_DUE = ("due = false", "due")


def portions(digests: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Yield digests in the numbers that one statement takes."""
    listed = sorted(digests)
    for start in range(0, len(listed), _AT_ONCE):
        yield listed[start : start + _AT_ONCE]


def records_at(space_id: int, digests: Sequence[bytes]) -> list[tuple[bytes, int]]:
    """Return the ordinals of a space at one portion of locations, each with its location."""
    with connection.cursor() as cursor:
        cursor.execute(_FOUND.format(digests=_marks(digests)), [space_id, *digests])
        return [(bytes(digest), ordinal) for digest, ordinal in cursor.fetchall()]


def insert_named(event: str, named: Iterable[tuple[int, bytes, bool]]) -> None:
    """Write the locations of an event, due: place among its inputs, digest, whether matched."""
    with connection.cursor() as cursor:
        cursor.executemany(_INSERT, [(event, *one, True) for one in named])


def note(run_id: uuid.UUID, change: tuple[str, str], digests: Iterable[bytes]) -> int:
    """Make a change to what the events of a run named; return how many rows it changed."""
    to, only = change
    run = UUIDField().get_db_prep_value(run_id, connection)
    changed = 0
    with connection.cursor() as cursor:
        for batch in portions(digests):
            statement = _OF_RUN.format(change=to, only=only, digests=_marks(batch))
            cursor.execute(statement, [*batch, run])
            changed += cursor.rowcount
    return changed


def _marks(values: Sequence[bytes]) -> str:
    return ", ".join(["%s"] * len(values))
