"""Secret keys by name, in a SQLite file of their own, so that destroying one shreds what it opens.

The file lies apart from the database and its backups. A row without a secret is a destroyed key:
its name can never be used again. Names in use: ``lookup`` (finds a person), ``suppression`` and
``suppress:<digest>`` (people who must not be imported again), ``subject:<id>``, ``case:<id>``,
``callers`` (who asks served models),
``canaries:<planting>`` (what was planted in a training),
``scores:<id of a run>`` (the salt of what evidence says of scores),
``webhook:<id>:<number>`` (what messages to another system are signed with).

``secure_delete`` overwrites a destroyed key in the file. The short-lived rollback journal is
deleted, not overwritten: where the disk itself must not give the key back, encrypt the disk.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_BYTES = 32
_WAIT_SECONDS = 30
_TABLE = "CREATE TABLE IF NOT EXISTS key (name TEXT PRIMARY KEY, secret BLOB) WITHOUT ROWID"


class KeyMissing(LookupError):
    """No key of that name was ever made."""


class KeyDestroyed(LookupError):
    """The key of that name was destroyed and cannot come back."""


class KeyExists(ValueError):
    """A key of that name was made before."""


class KeyRemains(RuntimeError):
    """A destroyed key can still be read."""


def _file() -> Path:
    folder = Path(settings.KEYS)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = folder / "keystore.sqlite3"
    # Made before SQLite sees it, since SQLite would make it readable by others.
    os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))
    return file


@contextlib.contextmanager
def _opened() -> Iterator[sqlite3.Connection]:
    # A connection per call is safe across threads, forks and processes.
    connection = sqlite3.connect(_file(), timeout=_WAIT_SECONDS, isolation_level=None)
    with contextlib.closing(connection):
        connection.execute("PRAGMA journal_mode=DELETE")
        connection.execute("PRAGMA synchronous=EXTRA")
        connection.execute("PRAGMA secure_delete=ON")
        connection.execute(_TABLE)
        yield connection


@contextlib.contextmanager
def _writing() -> Iterator[sqlite3.Connection]:
    with _opened() as connection:
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")


def _read(connection: sqlite3.Connection, names: Iterable[str]) -> dict[str, bytes | None]:
    query = "SELECT name, secret FROM key WHERE name IN (SELECT value FROM json_each(?))"
    return dict(connection.execute(query, [json.dumps(list(names))]))


def _insert(connection: sqlite3.Connection, name: str) -> bytes:
    secret = secrets.token_bytes(_BYTES)
    connection.execute("INSERT INTO key (name, secret) VALUES (?, ?)", [name, secret])
    return secret


def _living(name: str, secret: bytes | None) -> bytes:
    if secret is None:
        raise KeyDestroyed(f"The key {name!r} was destroyed; its name cannot be used again.")
    return secret


def create(name: str) -> bytes:
    """Make a key of 32 random bytes.

    Raises:
        KeyExists: the name is in use.
        KeyDestroyed: the name was in use.
    """
    with _writing() as connection:
        found = _read(connection, [name])
        if name in found:
            _living(name, found[name])
            raise KeyExists(f"The key {name!r} exists already.")
        return _insert(connection, name)


def get(name: str) -> bytes:
    """Return a key. Raises KeyMissing or KeyDestroyed."""
    with _opened() as connection:
        found = _read(connection, [name])
    if name not in found:
        raise KeyMissing(f"There is no key {name!r}.")
    return _living(name, found[name])


def get_or_create(name: str) -> bytes:
    """Return a key, made now if there is none. Raises KeyDestroyed."""
    return get_or_create_many([name])[name]


def get_or_create_many(names: Iterable[str]) -> dict[str, bytes]:
    """Return many keys by name; those that are missing are made in one transaction.

    Raises:
        KeyDestroyed: one of the names was destroyed; then no key is made.
    """
    wanted = list(dict.fromkeys(names))
    with _opened() as connection:
        found = _read(connection, wanted)
    if len(found) < len(wanted):
        with _writing() as connection:
            found = _read(connection, wanted)  # another process may have been faster
            keys = {name: _living(name, secret) for name, secret in found.items()}
            made = {name: _insert(connection, name) for name in wanted if name not in keys}
            return keys | made
    return {name: _living(name, found[name]) for name in wanted}


def get_many(names: Iterable[str]) -> dict[str, bytes]:
    """Return the keys of those names that have one which is not destroyed."""
    with _opened() as connection:
        found = _read(connection, names)
    return {name: secret for name, secret in found.items() if secret is not None}


def note(names: Iterable[str], value: bytes) -> None:
    """Keep ``value`` under each name that is not there yet: a fact beside the keys, no secret."""
    with _writing() as connection:
        connection.executemany(
            "INSERT INTO key (name, secret) VALUES (?, ?) ON CONFLICT (name) DO NOTHING",
            [(name, value) for name in names],
        )


def noted(prefix: str) -> dict[str, bytes]:
    """Return what is kept under the names that begin with ``prefix``."""
    with _opened() as connection:
        query = "SELECT name, secret FROM key WHERE substr(name, 1, ?) = ? AND secret NOT NULL"
        return dict(connection.execute(query, [len(prefix), prefix]))


def forget(names: Iterable[str]) -> None:
    """Delete names that ``note`` made, so that nothing says they were there."""
    with _writing() as connection:
        connection.executemany("DELETE FROM key WHERE name = ?", [(name,) for name in names])


def destroy(name: str) -> None:
    """Destroy a key and read back that it is gone; a name without a key is barred as well.

    Raises:
        KeyRemains: the file still gives the key; the store must be looked after.
    """
    with _writing() as connection:
        connection.execute(
            "INSERT INTO key (name, secret) VALUES (?, NULL) "
            "ON CONFLICT (name) DO UPDATE SET secret = NULL",
            [name],
        )
    with _opened() as connection:
        if _read(connection, [name]).get(name, b"") is not None:
            raise KeyRemains(f"The key {name!r} was destroyed but can still be read.")
