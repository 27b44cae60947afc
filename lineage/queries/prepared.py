"""A cursor for the few questions that are asked again and again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import connection

if TYPE_CHECKING:
    from django.db.backends.utils import CursorWrapper


def quick_cursor() -> CursorWrapper:
    """Return a cursor whose statements PostgreSQL need not plan each time.

    Planning takes longer than answering these questions. Values travel apart from the statement,
    and results in binary form. A connection that has asked a statement five times has it
    prepared; never so where ``prepare_threshold`` is off, as some connection poolers need it.
    """
    cursor = connection.cursor()
    if connection.vendor == "postgresql":
        cursor.cursor = _of_the_server(cursor.cursor.connection)
    return cursor


def _of_the_server(link: Any) -> Any:  # noqa: ANN401  (psycopg, which SQLite does without)
    from psycopg import Cursor  # noqa: PLC0415
    from psycopg.pq import Format  # noqa: PLC0415

    cursor = Cursor(link)
    cursor.format = Format.BINARY
    return cursor
