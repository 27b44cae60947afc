"""A row per record in the order that wastes no padding, and an index without room to spare.

Django adds foreign keys after the other columns, so on PostgreSQL the digest of the key stood
before the person and took eight bytes more than it needs. PostgreSQL cannot move a column: where
there are no records yet it is dropped and added again at the end; else the table stays as it is.
(One dropped column costs nothing; a second would make the head of every row longer.) Ordinals
only ever grow, so the pages of the primary key need no room for later ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import migrations

if TYPE_CHECKING:
    from django.apps.registry import Apps
    from django.db.backends.base.schema import BaseDatabaseSchemaEditor

_RULE = "an_invalidated_record_has_no_identity"
_MOVED = f"""
ALTER TABLE lineage_datarecord DROP COLUMN key_hmac;
ALTER TABLE lineage_datarecord ADD COLUMN key_hmac bytea NULL;
ALTER TABLE lineage_datarecord ADD CONSTRAINT {_RULE}
CHECK (invalidated_at IS NULL OR (key_hmac IS NULL AND subject_id IS NULL));
"""


def compact(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Move the column where that is free; fill the index."""
    if schema_editor.connection.vendor != "postgresql":
        return
    schema_editor.execute("ALTER INDEX lineage_datarecord_pkey SET (fillfactor = 100)")
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT 1 FROM lineage_datarecord)")
        (filled,) = cursor.fetchone()
    if not filled:
        schema_editor.execute(_MOVED)


def loosen(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Give the index its usual room; the order of the columns is nobody's business."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("ALTER INDEX lineage_datarecord_pkey RESET (fillfactor)")


class Migration(migrations.Migration):
    dependencies = [("lineage", "0006_supersede_again")]
    operations = [migrations.RunPython(compact, loosen)]
