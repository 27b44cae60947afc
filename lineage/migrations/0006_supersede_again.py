"""Let one purge rewrite a snapshot more than once: its set of ordinals may grow."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from django.db import migrations, models

if TYPE_CHECKING:
    from django.apps.registry import Apps
    from django.db.backends.base.schema import BaseDatabaseSchemaEditor

_before = import_module("lineage.migrations.0002_append_only")
TABLE = "lineage_snapshotsupersession"
RULES = [rule for rule in _before.RULES if rule[1] == TABLE]


def lift(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Drop the triggers of the one table that changes here."""
    on_table = f" ON {TABLE}" if schema_editor.connection.vendor == "postgresql" else ""
    for trigger, *_ in RULES:
        schema_editor.execute(f"DROP TRIGGER IF EXISTS {trigger}{on_table}")


def fasten(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Create them again."""
    vendor = schema_editor.connection.vendor
    written = {"sqlite": _before._sqlite, "postgresql": _before._postgresql}[vendor]
    for rule in RULES:
        schema_editor.execute(written(*rule))


class Migration(migrations.Migration):
    dependencies = [("lineage", "0005_unmatched_locations")]
    operations = [
        migrations.RunPython(lift, fasten),
        migrations.RemoveConstraint(
            model_name="snapshotsupersession", name="a_purge_rewrites_a_snapshot_once"
        ),
        migrations.AddConstraint(
            model_name="snapshotsupersession",
            constraint=models.UniqueConstraint(
                fields=["snapshot", "purge", "previous_digest"],
                name="a_purge_rewrites_a_state_of_a_snapshot_once",
            ),
        ),
        migrations.RunPython(fasten, lift),
    ]
