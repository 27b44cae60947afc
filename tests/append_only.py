"""Let transactional tests empty the append-only tables between them.

A test with the ``db`` fixture rolls back, so it never meets the triggers. A transactional test
ends with Django's ``flush``, which deletes or truncates every table. Import the fixture below in
``tests/conftest.py``, once; each flush then happens with the triggers lifted, and afterwards the
triggers and the one row of the log's head are there again:

    from tests.append_only import transactional_tests_may_flush  # noqa: F401
"""

from __future__ import annotations

from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING

import pytest
from django.apps import apps
from django.db import connections, transaction
from django.test import TransactionTestCase

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.backends.base.base import BaseDatabaseWrapper

    Trigger = tuple[str, str, str]

log = import_module("audits.migrations.0011_evidence_of_a_case")


@contextmanager
def without_triggers(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Lift every trigger of the database; put them back as they were, and the head of the log."""
    before = all_triggers(connection)
    on = connection.vendor == "postgresql"
    drop = [f'DROP TRIGGER "{name}"' + f" ON {table}" * on for name, table, _ in before]
    _execute(connection, drop)
    try:
        yield
    finally:
        with transaction.atomic(using=connection.alias):
            log.create_head(apps, _Editor(connection))
        _execute(connection, [definition for *_, definition in before])


_ASK = {
    "sqlite": "SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY name",
    "postgresql": (
        "SELECT tgname, tgrelid::regclass::text, pg_get_triggerdef(oid) "
        "FROM pg_trigger WHERE NOT tgisinternal ORDER BY tgname"
    ),
}


def all_triggers(connection: BaseDatabaseWrapper) -> list[Trigger]:
    """Return name, table and definition of every trigger of the database."""
    with connection.cursor() as cursor:
        cursor.execute(_ASK[connection.vendor])
        return list(cursor.fetchall())


def _execute(connection: BaseDatabaseWrapper, statements: list[str]) -> None:
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


class _Editor:
    """The part of a schema editor that the migration uses; SQLite's own refuses a transaction."""

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self.connection = connection

    def execute(self, statement: str) -> None:
        with self.connection.cursor() as cursor:
            cursor.execute(statement)


@pytest.fixture(scope="session", autouse=True)
def transactional_tests_may_flush() -> Iterator[None]:
    """Lift the triggers around every flush of the session's transactional tests."""
    flush = TransactionTestCase._fixture_teardown  # type: ignore[attr-defined]  # not in the stubs

    def flush_without_triggers(case: TransactionTestCase) -> None:
        with without_triggers(connections["default"]):
            flush(case)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", flush_without_triggers)
        yield
