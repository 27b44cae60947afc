"""A place in the source system may hold several records: a shard, an archive, a table.

Django cannot alter a composite primary key. PostgreSQL exchanges the constraint; SQLite writes the
table anew. Back again, a place keeps the record with the lowest ordinal, as before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import migrations, models

if TYPE_CHECKING:
    from django.apps.registry import Apps
    from django.db.backends.base.schema import BaseDatabaseSchemaEditor

_TABLE = "lineage_recordlocation"
_FIRST = f"SELECT space_id, digest, MIN(ordinal) FROM {_TABLE} GROUP BY space_id, digest"
_ALL = f"SELECT space_id, digest, ordinal FROM {_TABLE}"
_SQLITE = """
CREATE TABLE new__{table} (
digest BLOB NOT NULL, ordinal bigint NOT NULL,
space_id integer NOT NULL REFERENCES lineage_ordinalspace (id) DEFERRABLE INITIALLY DEFERRED,
PRIMARY KEY ({key}));
INSERT INTO new__{table} (space_id, digest, ordinal) {rows};
DROP TABLE {table};
ALTER TABLE new__{table} RENAME TO {table};
CREATE INDEX location_of_a_record ON {table} (space_id, ordinal)
"""
_POSTGRESQL = """
ALTER TABLE {table} DROP CONSTRAINT {table}_pkey;
ALTER TABLE {table} ADD CONSTRAINT {table}_pkey PRIMARY KEY ({key})
"""
_KEEP_FIRST = f"""
DELETE FROM {_TABLE} a USING {_TABLE} b
WHERE a.space_id = b.space_id AND a.digest = b.digest AND a.ordinal > b.ordinal
"""


def widen(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Let the ordinal be a part of the key."""
    _rebuild(schema_editor, key="space_id, digest, ordinal", rows=_ALL)


def narrow(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Keep one record for each place."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(_KEEP_FIRST)
    _rebuild(schema_editor, key="space_id, digest", rows=_FIRST)


def _rebuild(schema_editor: BaseDatabaseSchemaEditor, *, key: str, rows: str) -> None:
    written = {"sqlite": _SQLITE, "postgresql": _POSTGRESQL}[schema_editor.connection.vendor]
    for statement in written.format(table=_TABLE, key=key, rows=rows).split(";"):
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("lineage", "0008_purge_trace")]
    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunPython(widen, narrow)],
            state_operations=[
                migrations.AlterField(
                    model_name="recordlocation",
                    name="pk",
                    field=models.CompositePrimaryKey(
                        "space_id",
                        "digest",
                        "ordinal",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
            ],
        ),
    ]
