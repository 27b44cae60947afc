"""What events named and nobody knows yet; edges that get stronger; nodes that several runs wrote.

An edge stays append-only in all but one thing: when a later event says more of it, it may become
stronger or hold from an earlier time. It never becomes weaker, never ends, and is never deleted.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

import django.db.models.deletion
from django.db import migrations, models

if TYPE_CHECKING:
    from django.apps.registry import Apps
    from django.db.backends.base.schema import BaseDatabaseSchemaEditor

_before = import_module("lineage.migrations.0002_append_only")
EDGE, TABLE, SENTENCE = (
    "lineageedge_no_update",
    "lineage_lineageedge",
    "lineage_lineageedge is append-only: an edge may only become stronger.",
)
_RANK = "CASE {row}.influence WHEN 'DIRECT' THEN 2 WHEN 'INDIRECT' THEN 1 ELSE 0 END"
_OLD, _NEW = _RANK.format(row="OLD"), _RANK.format(row="NEW")
# Of two roles with one influence the later in the alphabet stands, so that no order counts.
_SAME = (
    "NEW.src_id = OLD.src_id AND NEW.dst_id = OLD.dst_id AND NEW.relation = OLD.relation "
    "AND NEW.valid_to IS NULL AND OLD.valid_to IS NULL AND NEW.valid_from <= OLD.valid_from"
)
_STRONGER = (
    f"{_SAME} AND ({_NEW} > {_OLD} OR ({_NEW} = {_OLD} AND (NEW.role{{c}} > OLD.role{{c}} "
    "OR (NEW.role = OLD.role AND NEW.valid_from < OLD.valid_from))))"
)
_CREATE = {
    "sqlite": (
        f"CREATE TRIGGER {EDGE} BEFORE UPDATE ON {TABLE} WHEN NOT ({_STRONGER.format(c='')}) "
        f"BEGIN SELECT RAISE(ABORT, '{SENTENCE}'); END"
    ),
    "postgresql": (
        f"CREATE TRIGGER {EDGE} BEFORE UPDATE ON {TABLE} FOR EACH ROW "
        f"""WHEN (NOT ({_STRONGER.format(c=' COLLATE "C"')})) """
        f"EXECUTE FUNCTION {_before.FUNCTION}('{SENTENCE}')"
    ),
}


def lift(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Drop the triggers of the tables that change here."""
    postgresql = schema_editor.connection.vendor == "postgresql"
    for trigger, table, *_ in _concerned():
        on_table = f" ON {table}" if postgresql else ""
        schema_editor.execute(f"DROP TRIGGER IF EXISTS {trigger}{on_table}")


def loosen(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Create them again; that of the edges lets what is stronger pass."""
    _create(schema_editor, edge=_CREATE[schema_editor.connection.vendor])


def tighten(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Create them again as they were."""
    _create(schema_editor, edge="")


def _create(schema_editor: BaseDatabaseSchemaEditor, *, edge: str) -> None:
    vendor = schema_editor.connection.vendor
    written = {"sqlite": _before._sqlite, "postgresql": _before._postgresql}[vendor]
    for rule in _concerned():
        schema_editor.execute(edge if edge and rule[0] == EDGE else written(*rule))


def _concerned() -> list[tuple[str, ...]]:
    return [rule for rule in _before.RULES if rule[0] == EDGE or rule[1] == "lineage_runoutput"]


class Migration(migrations.Migration):
    dependencies = [("lineage", "0004_record_locations")]
    operations = [
        migrations.CreateModel(
            name="UnmatchedLocation",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "digest",
                        "event_id",
                        "place",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("digest", models.BinaryField(max_length=16)),
                ("place", models.IntegerField()),
                ("due", models.BooleanField(default=False)),
                (
                    "event",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="unmatched",
                        to="lineage.receivedevent",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        fields=["event"],
                        name="location_to_be_matched",
                        condition=models.Q(due=True),
                    )
                ],
            },
        ),
        migrations.RunPython(lift, tighten),
        migrations.AlterField(
            model_name="runoutput",
            name="node",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="generated_by",
                to="lineage.lineagenode",
            ),
        ),
        migrations.AddConstraint(
            model_name="runoutput",
            constraint=models.UniqueConstraint(
                fields=["run", "node"], name="a_run_writes_a_node_once"
            ),
        ),
        migrations.RunPython(loosen, lift),
    ]
