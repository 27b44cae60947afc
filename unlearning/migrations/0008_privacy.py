"""What a private training promised, kept as it is; and runs that leave a version alone.

Triggers refuse to change or remove a promise. A later migration that alters its table makes a new
one on SQLite without them: it must call ``forbid`` afterwards.
"""

from __future__ import annotations

import django.db.models.deletion
from django.db import NotSupportedError, migrations, models

TABLE = "unlearning_trainingprivacy"
KEPT = f"{TABLE} is append-only: what a training promised cannot be changed or removed"
RULE = "a_run_that_succeeded_has_an_unlearned_model_unless_it_destroys"


def forbid(apps, schema_editor):
    """Create the triggers."""
    for statement in _of(schema_editor, _CREATE):
        schema_editor.execute(statement)


def allow(apps, schema_editor):
    """Drop the triggers."""
    for statement in _of(schema_editor, _DROP):
        schema_editor.execute(statement)


def refuse_left_alone(apps, schema_editor):
    """Refuse to go back while runs left a version alone, which had no place before."""
    alone = apps.get_model("unlearning", "UnlearningRun").objects.filter(method="no_action")
    if alone.exists():
        raise RuntimeError(
            f"{alone.count()} runs left a version as it was, which the version before cannot hold. "
            "They belong to sealed records and stay; so does this migration."
        )


def _of(schema_editor, statements):
    vendor = schema_editor.connection.vendor
    if vendor not in statements:
        raise NotSupportedError(
            f"The database is {vendor}; a promise is kept as it is on sqlite and postgresql."
        )
    return statements[vendor]()


def _sqlite_create():
    # SQLite's INSERT OR REPLACE removes the row that it replaces without asking a DELETE trigger.
    same = f"SELECT 1 FROM {TABLE} WHERE id = NEW.id OR version_id = NEW.version_id"
    for verb, when in (("UPDATE", ""), ("DELETE", ""), ("INSERT", f"WHEN EXISTS ({same})")):
        yield (
            f"CREATE TRIGGER {TABLE}_refuse_{verb.lower()} BEFORE {verb} ON {TABLE} {when} "
            f"BEGIN SELECT RAISE(ABORT, '{KEPT}'); END"
        )


def _sqlite_drop():
    for verb in ("update", "delete", "insert"):
        yield f"DROP TRIGGER IF EXISTS {TABLE}_refuse_{verb}"


def _postgresql_create():
    for name, when, which in (
        ("change", "BEFORE UPDATE OR DELETE", "FOR EACH ROW"),
        ("truncate", "BEFORE TRUNCATE", "FOR EACH STATEMENT"),
    ):
        yield (
            f"CREATE TRIGGER {TABLE}_refuse_{name} {when} ON {TABLE} {which} "
            f"EXECUTE FUNCTION unlearning_refuse('{KEPT}')"
        )


def _postgresql_drop():
    for name in ("change", "truncate"):
        yield f"DROP TRIGGER IF EXISTS {TABLE}_refuse_{name} ON {TABLE}"


_CREATE = {"sqlite": _sqlite_create, "postgresql": _postgresql_create}
_DROP = {"sqlite": _sqlite_drop, "postgresql": _postgresql_drop}


class Migration(migrations.Migration):
    """Create the table and its triggers; let a run without a result leave a version alone."""

    dependencies = [
        ("lineage", "0013_traces_of_forget_sets"),
        ("unlearning", "0007_shards"),
    ]

    operations = [
        migrations.CreateModel(
            name="TrainingPrivacy",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("clip", models.FloatField()),
                ("noise", models.FloatField()),
                ("rate", models.FloatField()),
                ("steps", models.BigIntegerField()),
                ("epsilon", models.FloatField(null=True)),
                ("delta", models.FloatField()),
                ("accountant", models.CharField(max_length=8)),
                ("people", models.BigIntegerField()),
                ("largest", models.BigIntegerField()),
                ("created_at", models.DateTimeField()),
                (
                    "version",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="privacy",
                        to="lineage.modelversion",
                    ),
                ),
            ],
        ),
        migrations.RunPython(forbid, allow),
        migrations.RemoveConstraint(model_name="unlearningrun", name=RULE),
        migrations.AddConstraint(
            model_name="unlearningrun",
            constraint=models.CheckConstraint(
                name=RULE,
                condition=models.Q(
                    status__in=["SUCCEEDED", "CLEARED", "REJECTED"], unlearned__isnull=False
                )
                | models.Q(unlearned=None, method__in=["destroy", "no_action"])
                | models.Q(status__in=["WAITING", "QUEUED", "RUNNING", "FAILED"], unlearned=None),
            ),
        ),
        migrations.RunPython(migrations.RunPython.noop, refuse_left_alone),
    ]
