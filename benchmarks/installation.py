"""A throwaway installation for one measurement, on SQLite or on a private PostgreSQL.

Each part runs in a child process of its own, so that settings, memory and connections are apart:
``python -m benchmarks.installation MODULE:FUNCTION JSON`` prints what the function returns.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

ENGINES = ("sqlite", "postgresql")


def in_both(function: str, arguments: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return what ``module:function`` gives in a fresh installation on each engine."""
    return {engine: in_one(engine, function, arguments) for engine in ENGINES}


def in_one(engine: str, function: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Return what ``module:function`` gives in a fresh installation on one engine."""
    with _environment(engine) as environment:
        done = subprocess.run(  # noqa: S603  (our own module)
            [sys.executable, "-m", "benchmarks.installation", function, json.dumps(arguments)],
            env=environment,
            stdout=subprocess.PIPE,
            check=True,
        )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@contextmanager
def _environment(engine: str) -> Iterator[dict[str, str]]:
    with tempfile.TemporaryDirectory() as home:
        own = {**os.environ, "EXPUNGE_HOME": home, "DJANGO_SETTINGS_MODULE": "config.settings"}
        own.pop("DATABASE_URL", None)
        if engine == "sqlite":
            yield own
            return
        from config.services.postgres import (  # noqa: PLC0415  (starts a server)
            find_binaries,
            throwaway_postgres,
        )

        with throwaway_postgres(find_binaries(os.environ)) as url:
            yield {**own, "DATABASE_URL": url}


def prepared() -> None:
    """Set Django up and make the tables; call it first in a measured function."""
    import django  # noqa: PLC0415  (settings come from the child's environment)

    django.setup()
    from django.core.management import call_command  # noqa: PLC0415

    call_command("migrate", verbosity=0)


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
