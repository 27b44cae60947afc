"""Evidence may be about one case of those that a run serves.

SQLite makes a new table where a constraint changes, without the triggers of ``0002_append_only``:
they are dropped before and created again afterwards.
"""

from importlib import import_module

import django.db.models.deletion
from django.db import migrations, models

_before = import_module("audits.migrations.0002_append_only")
SEVERAL = (
    "Some evidence is about one of several cases of a run, and the table of before knows one only. "
    "This migration cannot be taken back."
)
KEYS = {
    **_before.KEYS,
    "audits_evidence": [["id"], ["run_id", "kind", "look", "request_id"]],
}
GUARD = "audits_evidence_refuse_insert"
create_head, allow = _before.create_head, _before.allow


def forbid(apps, schema_editor):
    """Create the triggers; on SQLite, that against replacing a row of evidence knows the case."""
    _before.forbid(apps, schema_editor)
    if schema_editor.connection.vendor == "sqlite":
        schema_editor.execute(f"DROP TRIGGER {GUARD}")
        same = " OR ".join(
            "(" + " AND ".join(f'"{column}" IS NEW."{column}"' for column in columns) + ")"
            for columns in KEYS["audits_evidence"]
        )
        schema_editor.execute(
            f"CREATE TRIGGER {GUARD} BEFORE INSERT ON audits_evidence "
            f"WHEN EXISTS (SELECT 1 FROM audits_evidence WHERE {same}) "
            f"BEGIN SELECT RAISE(ABORT, '{_before.REFUSAL.format(table='audits_evidence')}'); END"
        )


def refuse_several(apps, schema_editor):
    """Stop before anything is lost."""
    evidence = apps.get_model("audits", "Evidence").objects.using(schema_editor.connection.alias)
    if evidence.exclude(request=None).exists():
        raise ValueError(SEVERAL)


class Migration(migrations.Migration):
    """Name the case; a look is taken once for each."""

    dependencies = [("audits", "0009_agreed_duplicates")]

    operations = [
        migrations.RunPython(allow, _before.forbid),
        migrations.RemoveConstraint("evidence", "a_look_is_taken_once_per_run_and_kind"),
        migrations.AddField(
            model_name="evidence",
            name="request",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="audits.erasurerequest",
            ),
        ),
        migrations.AddConstraint(
            model_name="evidence",
            constraint=models.UniqueConstraint(
                fields=("run", "kind", "look", "request"),
                name="a_look_is_taken_once_per_run_kind_and_case",
            ),
        ),
        migrations.AddConstraint(
            model_name="evidence",
            constraint=models.UniqueConstraint(
                condition=models.Q(("request", None)),
                fields=("run", "kind", "look"),
                name="a_look_about_a_whole_run_is_taken_once",
            ),
        ),
        migrations.RunPython(migrations.RunPython.noop, refuse_several),
        migrations.RunPython(forbid, allow),
    ]
