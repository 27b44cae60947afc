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
    from collections.abc import Callable, Iterator

    from django.db.backends.base.base import BaseDatabaseWrapper

triggers = import_module("audits.migrations.0011_evidence_of_a_case")
lineage = import_module("lineage.migrations.0002_append_only")
unlearning = import_module("unlearning.migrations.0005_frozen_for_good")
promises = import_module("unlearning.migrations.0008_privacy")
certificates = import_module("audits.migrations.0012_procedure_certificates")
letters = import_module("audits.migrations.0022_letters")
policy = import_module("audits.migrations.0040_stored_policy")


@contextmanager
def without_triggers(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Lift the triggers of all apps; put them and the head of the log back."""
    _apply(
        connection,
        policy.allow,
        letters.allow,
        certificates.allow,
        letters.allow,
        triggers.allow,
        lineage.remove,
        promises.allow,
        unlearning.allow,
    )
    try:
        yield
    finally:
        _apply(
            connection,
            triggers.create_head,
            triggers.forbid,
            lineage.install,
            unlearning.forbid,
            promises.forbid,
            certificates.forbid,
            letters.forbid,
            policy.forbid,
        )


def _apply(connection: BaseDatabaseWrapper, *steps: Callable[..., None]) -> None:
    with transaction.atomic(using=connection.alias):
        for step in steps:
            step(apps, _Editor(connection))


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
