"""The migrations run once for each state of the code, not in each process of each run.

Migrating takes longer than most files of tests. What comes of it is kept in pytest's own cache,
under a digest of all that it can depend on: every line of the product, and what is installed. With
SQLite a process begins with a copy of that. PostgreSQL, whose servers here are thrown away, is
migrated in each process. Import the fixtures below in ``tests/conftest.py``, once.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from django import get_version
from django.db import connection, connections
from django.test.utils import setup_databases, teardown_databases

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
PRODUCT = ("config", "lineage", "unlearning", "audits", "expunge")
ENDED = 24 * 3600  # seconds after which no run still uses what it found here


def digest_of_code() -> str:
    """Return what changes with the product, its pins, Python, Django and SQLite."""
    versions = (sys.version, get_version(), sqlite3.sqlite_version)
    found = hashlib.sha256("\0".join(versions).encode())
    sources = sorted(path for app in PRODUCT for path in (ROOT / app).rglob("*.py"))
    for path in [*sources, ROOT / "constraints.txt"]:
        content = path.read_bytes()
        found.update(f"{path.relative_to(ROOT)}\0{len(content)}\0".encode() + content)
    return found.hexdigest()


@pytest.fixture(scope="session")
def migrated_file(request, tmp_path_factory) -> Path:
    """Where a migrated, empty SQLite database lies, or will lie once this process has made it."""
    cache = getattr(request.config, "cache", None)  # absent with -p no:cacheprovider
    folder = cache.mkdir("migrated") if cache else tmp_path_factory.mktemp("migrated")
    return Path(folder) / f"{digest_of_code()}.sqlite3"


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings, migrated_file) -> Iterator[None]:
    """Fill the database in memory; ``migrate`` then looks at it and finds nothing to do."""
    if connection.vendor != "sqlite" or not migrated_file.exists():
        yield
        return
    name = connection.creation._get_test_db_name()  # type: ignore[attr-defined]  # not in stubs
    with closing(sqlite3.connect(name, uri=True)) as memory:  # it lives as long as one is open
        with closing(sqlite3.connect(migrated_file)) as kept:
            kept.backup(memory)
        migrated_file.touch()
        yield


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker, migrated_file) -> Iterator[str]:
    """Keep a copy before any test has written; yields its name."""
    with django_db_blocker.unblock():
        made = _made()
        if connection.vendor == "sqlite":
            if not migrated_file.exists():
                _keep(migrated_file)
            yield str(migrated_file)
            teardown_databases(made, verbosity=0)
            return
        test = connection.settings_dict["NAME"]
        connection.close()  # PostgreSQL copies a database that nobody uses
        maintain(f'CREATE DATABASE "{test}_copy" TEMPLATE "{test}"')
    yield f"{test}_copy"
    with django_db_blocker.unblock():
        maintain(f'DROP DATABASE "{test}_copy"')
        teardown_databases(made, verbosity=0)


def _made() -> Any:  # noqa: ANN401  (what teardown_databases takes)
    """Make the test database where pytest-django did not.

    It makes none where no test of the run is marked as using it, and tests of ``template`` alone
    would copy, and keep, whatever database is configured.
    """
    test = connection.creation._get_test_db_name()  # type: ignore[attr-defined]  # not in stubs
    missing = connection.settings_dict["NAME"] != test
    return setup_databases(
        verbosity=0,
        interactive=False,
        aliases={"default": None} if missing else {},
        serialized_aliases=set(),
    )


@pytest.fixture(scope="session")
def template(django_db_setup) -> dict[str, Any]:
    """Django's settings of a migrated, empty database like the configured one, to be copied.

    Not the test database: what several processes commit needs no clean-up by DELETE, which the
    append-only triggers refuse, when the whole database is thrown away.
    """
    return {**connections.settings["default"], "NAME": django_db_setup}


@pytest.fixture
def own_database(template, django_db_blocker, tmp_path) -> Iterator[dict[str, Any]]:
    """A copy of the template for one test; yields Django's settings of it.

    With SQLite it lies where an installation in ``tmp_path`` looks for its own.
    """
    name = f"own_{os.getpid()}"
    with django_db_blocker.unblock():
        if connection.vendor == "sqlite":
            name = str(tmp_path / "expunge.sqlite3")
            shutil.copy(template["NAME"], name)
            # As `setup` leaves it: of several processes that change the mode at once one fails.
            with closing(sqlite3.connect(name)) as own:
                own.execute("PRAGMA journal_mode=WAL")
            yield {**template, "NAME": name}
            return
        maintain(f'CREATE DATABASE "{name}" TEMPLATE "{template["NAME"]}"')
        yield {**template, "NAME": name}
        maintain(f'DROP DATABASE "{name}"')


def address_of(name: str) -> str:
    """Return ``DATABASE_URL`` for another process: of a database beside that of the tests.

    Empty with SQLite, where an installation finds its database in its home.
    """
    if connection.vendor == "sqlite":
        return ""
    return urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()


def _keep(file: Path) -> None:
    """Write the database in memory to a file, whole or not at all, and forget older ones."""
    written = file.with_suffix(f".{os.getpid()}")
    connection.ensure_connection()
    with closing(sqlite3.connect(written)) as copy:
        connection.connection.backup(copy)
    written.replace(file)
    for other in file.parent.glob("*.sqlite3"):
        if other.stat().st_mtime < time.time() - ENDED:
            other.unlink(missing_ok=True)


def maintain(statement: str) -> None:
    """Make or drop a database."""
    with connection._nodb_cursor() as cursor:
        cursor.execute(statement)
