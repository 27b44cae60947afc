"""The log keeps the subtrees of its tree, so that a root or a proof reads a few rows.

What older leaves complete is computed here. The triggers of the two tables are lifted meanwhile;
on SQLite a new column makes a new table, which has none.
"""

from importlib import import_module
from itertools import islice

from django.db import migrations, models

from audits.core.growing_tree import GrowingTree

before = import_module("audits.migrations.0002_append_only")
TABLES = ("audits_logleaf", "audits_loghead")
AT_ONCE = 1000


def forbid(apps, schema_editor):
    """Create the triggers of the two tables."""
    for statement in before._of(schema_editor, before._CREATE):
        if any(f" ON {table} " in statement for table in TABLES):
            schema_editor.execute(statement)


def allow(apps, schema_editor):
    """Drop the triggers of the two tables."""
    for statement in before._of(schema_editor, before._DROP):
        if any(f" {table}_refuse_" in statement for table in TABLES):
            schema_editor.execute(statement)


def keep_subtrees(apps, schema_editor):
    """Compute what each leaf completes, and the right edge of the tree."""
    alias = schema_editor.connection.alias
    leaves = apps.get_model("audits", "LogLeaf").objects.using(alias).order_by("index")
    hashes = iter(leaves.values_list("index", "leaf_hash").iterator())
    tree = GrowingTree()
    with schema_editor.connection.cursor() as cursor:
        while some := list(islice(hashes, AT_ONCE)):
            added = [(b"".join(tree.add(bytes(leaf))), index) for index, leaf in some]
            cursor.executemany(
                'UPDATE audits_logleaf SET nodes = %s WHERE "index" = %s',
                [row for row in added if row[0]],
            )
    head = apps.get_model("audits", "LogHead").objects.using(alias).filter(pk=1, size=tree.size)
    head.update(frontier=tree.pack())


class Migration(migrations.Migration):
    """Add what is kept, compute it, and make the tables append-only again."""

    dependencies = [("audits", "0025_case_retention")]

    operations = [
        migrations.RunPython(allow, forbid),
        migrations.AddField("loghead", "frontier", models.BinaryField(default=bytes)),
        migrations.AddField("logleaf", "nodes", models.BinaryField(default=bytes)),
        migrations.RunPython(keep_subtrees, migrations.RunPython.noop),
        migrations.RunPython(forbid, allow),
    ]
