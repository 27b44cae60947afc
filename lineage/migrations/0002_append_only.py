"""Edges, run outputs, snapshots and membership chunks are append-only: the database refuses else.

Triggers are the database's own word, so raw SQL, the shell and the admin meet them as well. Three
things to know:

* Django rebuilds a table on SQLite when a later migration alters it, which drops its triggers:
  such a migration ends with ``RunPython(install, remove)`` again. A test counts the triggers.
* A purge that rewrites bits inserts a row into ``lineage_purgepermit`` in its transaction, and
  deletes it there: no other transaction ever sees it.
* TRUNCATE on PostgreSQL fires no row trigger. In production the application's role does not own
  the tables, so it cannot truncate them nor drop the triggers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import migrations

if TYPE_CHECKING:
    from django.apps.registry import Apps
    from django.db.backends.base.schema import BaseDatabaseSchemaEditor

    Columns = tuple[str, ...] | None

# (trigger, table, event, columns whose change is refused or None for any, a purge may do it)
RULES: list[tuple[str, str, str, Columns, bool]] = [
    ("lineageedge_no_update", "lineage_lineageedge", "UPDATE", None, False),
    ("lineageedge_no_delete", "lineage_lineageedge", "DELETE", None, False),
    ("runoutput_no_update", "lineage_runoutput", "UPDATE", None, False),
    ("runoutput_no_delete", "lineage_runoutput", "DELETE", None, False),
    ("snapshotchunk_no_update", "lineage_snapshotchunk", "UPDATE", None, True),
    ("snapshotchunk_no_delete", "lineage_snapshotchunk", "DELETE", None, True),
    (
        "datasetsnapshot_no_update",
        "lineage_datasetsnapshot",
        "UPDATE",
        ("digest", "record_count", "seq", "space_id", "base_id", "chain"),
        True,
    ),
    ("datasetsnapshot_no_delete", "lineage_datasetsnapshot", "DELETE", None, False),
    ("supersession_no_update", "lineage_snapshotsupersession", "UPDATE", None, False),
    ("supersession_no_delete", "lineage_snapshotsupersession", "DELETE", None, False),
]
FUNCTION = "lineage_refuse_change"
PERMIT = "EXISTS (SELECT 1 FROM lineage_purgepermit)"
# A record's slice of a tile is read without fetching the whole: no compression, out of line.
OUT_OF_LINE = ["lineage_snapshotchunk", "lineage_membershiptile"]


def _sentence(table: str, event: str, columns: Columns) -> str:
    what = f"{event} of {', '.join(columns)}" if columns else event
    return f"{table} is append-only: {what} is refused."


def _sqlite(trigger: str, table: str, event: str, columns: Columns, purge: bool) -> str:
    changed = " OR ".join(f"OLD.{column} IS NOT NEW.{column}" for column in columns or ())
    tests = [f"({changed})"] * bool(changed) + [f"NOT {PERMIT}"] * purge
    condition = f"WHEN {' AND '.join(tests)} " if tests else ""
    return (
        f"CREATE TRIGGER {trigger} BEFORE {event} ON {table} {condition}"
        f"BEGIN SELECT RAISE(ABORT, '{_sentence(table, event, columns)}'); END"
    )


def _postgresql(trigger: str, table: str, event: str, columns: Columns, purge: bool) -> str:
    changed = " OR ".join(
        f"OLD.{column} IS DISTINCT FROM NEW.{column}" for column in columns or ()
    )
    condition = f"WHEN ({changed}) " if changed else ""
    permit = ", 'unless purged'" if purge else ""
    return (
        f"CREATE TRIGGER {trigger} BEFORE {event} ON {table} FOR EACH ROW {condition}"
        f"EXECUTE FUNCTION {FUNCTION}('{_sentence(table, event, columns)}'{permit})"
    )


def install(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Create the triggers."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(
            f"CREATE OR REPLACE FUNCTION {FUNCTION}() RETURNS trigger LANGUAGE plpgsql AS $$ "
            f"BEGIN IF TG_NARGS > 1 AND {PERMIT} THEN RETURN COALESCE(NEW, OLD); END IF; "
            "RAISE EXCEPTION USING MESSAGE = TG_ARGV[0], "
            "ERRCODE = 'integrity_constraint_violation'; END $$"
        )
    written = {"sqlite": _sqlite, "postgresql": _postgresql}[schema_editor.connection.vendor]
    for rule in RULES:
        schema_editor.execute(written(*rule))


def remove(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Drop the triggers."""
    postgresql = schema_editor.connection.vendor == "postgresql"
    for trigger, table, *_ in RULES:
        on_table = f" ON {table}" if postgresql else ""
        schema_editor.execute(f"DROP TRIGGER IF EXISTS {trigger}{on_table}")
    if postgresql:
        schema_editor.execute(f"DROP FUNCTION IF EXISTS {FUNCTION}()")


def store_out_of_line(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Keep bitmaps uncompressed outside their rows; SQLite knows no such choice."""
    if schema_editor.connection.vendor == "postgresql":
        for table in OUT_OF_LINE:
            schema_editor.execute(f"ALTER TABLE {table} ALTER COLUMN bitmap SET STORAGE EXTERNAL")


class Migration(migrations.Migration):
    dependencies = [("lineage", "0001_initial")]
    operations = [
        migrations.RunPython(store_out_of_line, migrations.RunPython.noop),
        migrations.RunPython(install, remove),
    ]
