"""Migrations that old code can live with: old processes serve while new ones start.

What takes something away needs two releases: one that no longer uses it, and one that removes
it, whose operation is then listed in ``AGREED`` with the release that stopped using it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.db import migrations, models
from django.db.migrations.loader import MigrationLoader
from django.db.models import NOT_PROVIDED

if TYPE_CHECKING:
    from collections.abc import Iterable

# The last migration of each app that was made before this was asked.
BASELINE = {"audits": 51, "lineage": 40, "unlearning": 9}
AGREED: dict[tuple[str, str], str] = {}
TAKEN_AWAY = (
    migrations.RemoveField,
    migrations.RenameField,
    migrations.DeleteModel,
    migrations.RenameModel,
    migrations.AlterModelTable,
)


def refused(operations: Iterable[object]) -> list[str]:
    """Return a sentence for each operation that processes of the release before would feel."""
    said = []
    for one in operations:
        if isinstance(one, migrations.SeparateDatabaseAndState):
            said += refused(one.database_operations)
        elif isinstance(one, TAKEN_AWAY):
            said.append(
                f"{type(one).__name__} takes away what the release before uses: {one.describe()}."
            )
        elif isinstance(one, migrations.AddField) and must_be_filled(one.field):
            said.append(
                f"{one.model_name}.{one.name} must be filled, and the release before does not: "
                "give it a db_default, or let it be null."
            )
    return said


def must_be_filled(field: models.Field[Any, Any]) -> bool:
    """Return whether a row that old code writes would be refused for want of a column.

    Django drops a ``default`` from the database after the migration; only ``db_default`` stays.
    """
    if isinstance(field, models.ManyToManyField) or field.null:
        return False
    return field.db_default is NOT_PROVIDED


def newer() -> dict[tuple[str, str], migrations.Migration]:
    """Return our migrations that were made after the baseline."""
    found = MigrationLoader(None).disk_migrations
    return {
        (app, name): one
        for (app, name), one in found.items()
        if app in BASELINE and int(name[:4]) > BASELINE[app]
    }


def test_no_new_migration_breaks_the_release_before():
    assert ("audits", "0053_place_of_the_sweep") in newer()
    said = {key: refused(one.operations) for key, one in newer().items() if key not in AGREED}
    assert {key: why for key, why in said.items() if why} == {}


def test_every_new_migration_can_be_taken_back():
    for key, one in newer().items():
        assert all(operation.reversible for operation in one.operations), key


@pytest.mark.parametrize(
    ("operation", "bad"),
    [
        (migrations.RemoveField("case", "email"), True),
        (migrations.RenameField("case", "email", "mail"), True),
        (migrations.DeleteModel("case"), True),
        (migrations.AddField("case", "n", models.IntegerField()), True),
        (migrations.AddField("case", "n", models.IntegerField(default=0)), True),
        (migrations.AddField("case", "n", models.IntegerField(db_default=0)), False),
        (migrations.AddField("case", "n", models.IntegerField(null=True)), False),
        (migrations.AddField("case", "n", models.ManyToManyField("case")), False),
        (migrations.CreateModel("other", [("id", models.AutoField(primary_key=True))]), False),
        (
            migrations.SeparateDatabaseAndState(
                database_operations=[migrations.RemoveField("case", "email")]
            ),
            True,
        ),
        (
            migrations.SeparateDatabaseAndState(
                state_operations=[migrations.RemoveField("case", "email")]
            ),
            False,
        ),
    ],
)
def test_what_old_code_would_feel_is_found(operation, bad):
    assert bool(refused([operation])) is bad
