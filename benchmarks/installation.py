"""A throwaway installation for one measurement, on SQLite or on a private PostgreSQL.

Each part runs in a child process of its own, so that settings, memory and connections are apart:
``python -m benchmarks.installation MODULE:FUNCTION JSON`` prints what the function returns.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.databases import child, fresh

ENGINES = ("sqlite", "postgresql")


def in_both(function: str, arguments: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return what ``module:function`` gives in a fresh installation on each engine."""
    return {engine: in_one(engine, function, arguments) for engine in ENGINES}


def in_one(engine: str, function: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Return what ``module:function`` gives in a fresh installation on one engine."""
    with fresh(engine) as environment:
        found: dict[str, Any] = child(function, arguments, environment)
    return found


def prepared() -> None:
    """Set Django up; call it first in a measured function."""
    import django  # noqa: PLC0415  (settings come from the child's environment)

    django.setup()


def make_tables() -> None:
    """Make the tables of the database that is configured in this process."""
    prepared()
    from django.core.management import call_command  # noqa: PLC0415
    from django.db import connection  # noqa: PLC0415

    call_command("migrate", verbosity=0)
    connection.close()


def table_bytes(*tables: str) -> int:
    """Return the bytes of tables with their indexes and large values."""
    from django.db import connection  # noqa: PLC0415

    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("VACUUM ANALYZE")
            sizes = []
            for table in tables:
                cursor.execute("SELECT pg_total_relation_size(%s::regclass)", [table])
                sizes.append(cursor.fetchone()[0])
            return sum(sizes)
    return sum(_sqlite_bytes(table) for table in tables)


def database_bytes() -> int:
    """Return the bytes of the whole database, without what is free in it."""
    from django.db import connection  # noqa: PLC0415

    with connection.cursor() as cursor:
        if connection.vendor != "postgresql":
            return _sqlite_size(cursor)
        cursor.execute("VACUUM")
        cursor.execute("SELECT pg_database_size(current_database())")
        return int(cursor.fetchone()[0])


def _sqlite_size(cursor: Any) -> int:  # noqa: ANN401  (a database cursor)
    cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    pages, free, size = (
        cursor.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("page_count", "freelist_count", "page_size")
    )
    return int((pages - free) * size)


def _sqlite_bytes(table: str) -> int:
    """Return what the file shrinks by without the table, which needs no compiled-in statistics."""
    from django.db import connection  # noqa: PLC0415

    with connection.cursor() as cursor:
        before = _sqlite_size(cursor)
        cursor.execute("PRAGMA foreign_keys = OFF")
        cursor.execute(f"DROP TABLE {table}")
        return before - _sqlite_size(cursor)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    module, _, name = sys.argv[1].partition(":")
    print(json.dumps(getattr(import_module(module), name)(**json.loads(sys.argv[2]))))
