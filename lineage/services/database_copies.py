"""The whole database as one file, and back: SQLite's own backup, or pg_dump and pg_restore."""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import closing
from typing import TYPE_CHECKING

from django.db import connection
from django.db.backends.sqlite3.base import Database  # type: ignore[attr-defined]  # the driver
from django.db.migrations.loader import MigrationLoader

if TYPE_CHECKING:
    from pathlib import Path

_SECONDS = 3600.0  # a dump that takes longer hangs


class DatabaseNotCopied(RuntimeError):
    """The database could not be written to a file or read from one; the sentence says why."""


def engine() -> str:
    """Return sqlite or postgresql."""
    return connection.vendor


def applied() -> list[str]:
    """Return the migrations that the tables are of, as ``app.name``; none of an empty database.

    A squashed one says nothing beside those that it replaces, and older releases do not name it.
    """
    known = MigrationLoader(connection)
    steps = known.applied_migrations.keys() - known.replacements.keys()
    return sorted(f"{app}.{name}" for app, name in steps)


def dump(path: Path) -> None:
    """Write the database, as it is at one moment, to a file. Raises DatabaseNotCopied."""
    if engine() == "sqlite":
        connection.ensure_connection()
        with _sqlite(path) as copy:
            connection.connection.backup(copy)
        return
    _run("pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={path}")


def restore(path: Path) -> None:
    """Put what ``dump`` wrote in the place of what the database holds; all of it or nothing.

    Raises:
        DatabaseNotCopied: nothing was changed.
    """
    if engine() == "sqlite":
        connection.ensure_connection()
        with _sqlite(path) as copy:
            copy.backup(connection.connection)
        return
    connection.close()
    how = ("--clean", "--if-exists", "--no-owner", "--no-privileges", "--single-transaction")
    _run("pg_restore", *how, "--exit-on-error", f"--dbname={_name()}", str(path))


def _sqlite(path: Path) -> closing:  # type: ignore[type-arg]  # the driver has no types
    try:
        return closing(Database.connect(path))
    except Database.Error as error:
        raise DatabaseNotCopied(f"{path} cannot be opened: {error}.") from error


def _run(program: str, *arguments: str) -> None:
    found = shutil.which(program)
    if found is None:
        raise DatabaseNotCopied(
            f"{program} is not on PATH. Install the client programs of PostgreSQL, of the release "
            "of the server or a newer one."
        )
    try:
        subprocess.run(  # noqa: S603  (one of two names, found on PATH)
            [found, "--no-password", *arguments],
            env={**os.environ, **_address()},
            check=True,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
        )
    except subprocess.CalledProcessError as error:
        said = error.stderr.strip().splitlines() or ["it gave no reason"]
        raise DatabaseNotCopied(f"{program} failed: {said[0]}") from None
    except (OSError, subprocess.TimeoutExpired) as error:
        raise DatabaseNotCopied(f"{program} failed: {type(error).__name__}.") from None


def _address() -> dict[str, str]:
    """Return the address of the database as variables: a password in an argument can be read."""
    values = connection.get_connection_params()
    names = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD"}
    given = {names[key]: str(values[key]) for key in names if values.get(key)}
    return {**given, "PGDATABASE": _name(), **_encryption(values)}


def _encryption(values: dict[str, object]) -> dict[str, str]:
    keys = ("sslmode", "sslrootcert", "sslcert", "sslkey")
    return {f"PG{key.upper()}": str(values[key]) for key in keys if values.get(key)}


def _name() -> str:
    return str(connection.settings_dict["NAME"])
