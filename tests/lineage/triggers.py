"""Lift the append-only triggers for a while, as only a test may: by dropping them."""

from __future__ import annotations

from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING

from django.apps import apps
from django.db import connection

if TYPE_CHECKING:
    from collections.abc import Iterator

migration = import_module("lineage.migrations.0002_append_only")
_stronger = import_module("lineage.migrations.0005_unmatched_locations")


class Editor:
    """The part of a schema editor that the migration uses; SQLite's own refuses a transaction."""

    connection = connection

    def execute(self, statement: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement)


@contextmanager
def without_triggers() -> Iterator[None]:
    """Drop the triggers of lineage and create them again."""
    migration.remove(apps, Editor())
    try:
        yield
    finally:
        migration.install(apps, Editor())
        _stronger.lift(apps, Editor())
        _stronger.loosen(apps, Editor())
