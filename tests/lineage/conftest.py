"""Fixtures of the lineage tests: every path lies in a temporary folder."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import random
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection, connections

from config.environment import database

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(autouse=True)
def home(settings, tmp_path) -> Path:
    """Point keys, store and journal to a folder of this test."""
    settings.KEYS = tmp_path / "keys"
    settings.EXPUNGE_STORE = f"file://{tmp_path / 'store'}"
    settings.EXPUNGE_JOURNAL = tmp_path / "journal" / "erasures.jsonl"
    return tmp_path


@pytest.fixture
def now() -> datetime:
    """A fixed time."""
    return datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def own_database(django_db_setup, django_db_blocker, tmp_path) -> Iterator[str]:
    """A migrated database for several processes; yields its URL.

    A copy of the test database, so that what is committed here needs no clean-up by DELETE, which
    the append-only triggers refuse.
    """
    with django_db_blocker.unblock():
        copy = _sqlite_copy if connection.vendor == "sqlite" else _postgresql_copy
        url = copy(tmp_path)
        yield url
        if connection.vendor == "postgresql":
            _maintain(f'DROP DATABASE "{url.rsplit("/", 1)[-1].partition("?")[0]}"')


def _sqlite_copy(folder: Path) -> str:
    file = folder / "own.sqlite3"
    with connection.cursor() as cursor:
        cursor.execute("VACUUM INTO %s", [str(file)])
    with contextlib.closing(sqlite3.connect(file)) as copy:
        copy.execute("PRAGMA journal_mode=WAL")  # else the first ones to open it get in their way
    return f"sqlite://{file}"


def _postgresql_copy(folder: Path) -> str:
    name = f"own_{os.getpid()}_{folder.name}"[:60]
    values = connection.settings_dict
    source = values["NAME"]
    connection.close()  # a template must not be in use
    _maintain(f'CREATE DATABASE "{name}" TEMPLATE "{source}"')
    host = values["HOST"]
    place = f"{host}:{values['PORT']}" if not host.startswith("/") else ""
    socket = f"?host={host}&port={values['PORT'] or 5432}" if not place else ""
    return f"postgresql://{values['USER']}:{values['PASSWORD']}@{place}/{name}{socket}"


def _maintain(statement: str) -> None:
    with connection._nodb_cursor() as cursor:
        cursor.execute(statement)


@pytest.fixture
def processes(own_database):
    """Call a function in several processes, which all start it at the same moment."""
    fork = multiprocessing.get_context("fork")

    def run_at_once(function: Callable[[int], Any], count: int) -> list[Any]:
        barrier, results = fork.Barrier(count), fork.Queue()

        def child(number: int) -> None:
            random.seed(number)  # pytest-randomly lets uuid4 depend on it, and a fork inherits it
            _move_to(own_database)
            barrier.wait()
            try:
                results.put((number, function(number)))
            except BaseException as error:
                results.put((number, error))

        started = [fork.Process(target=child, args=(number,)) for number in range(count)]
        for process in started:
            process.start()
        found = dict(results.get(timeout=60) for _ in started)
        for process in started:
            process.join()
        for result in found.values():
            if isinstance(result, BaseException):
                raise result
        return [found[number] for number in range(count)]

    return run_at_once


_left: list[Any] = []


def _move_to(url: str) -> None:
    """Let this child use the other database; the parent's connection is neither used nor closed."""
    _left.append(connections["default"])
    place = database(url, sqlite_path=Path("unused"))
    connections.settings["default"] = {**connections.settings["default"], **place}
    del connections["default"]
