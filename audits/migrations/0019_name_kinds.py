"""Give the operator's cases their kind, close what nobody ever confirmed, widen an outcome.

SQLite makes a new table of sealed records for that, without the triggers of ``0002_append_only``.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from django.db import migrations, models
from django.db.models import Q

if TYPE_CHECKING:
    from django.apps.registry import Apps
    from django.db.backends.base.schema import BaseDatabaseSchemaEditor


TABLE = "audits_compliancerecord"


def name_kinds(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Cases that follow on from an operator's are the operator's, too."""
    cases = apps.get_model("audits", "ErasureRequest").objects
    cases.filter(Q(operator_case__isnull=False) | Q(due_rule="NONE")).update(kind="OPERATOR")
    cases.filter(status="RECEIVED", email="").update(status="EXPIRED", outcome="EXPIRED")


def unname_kinds(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """As it was: one kind, and an unconfirmed case is one without an address."""
    cases = apps.get_model("audits", "ErasureRequest").objects
    cases.filter(kind="OPERATOR").update(kind="ERASURE")
    cases.filter(status="EXPIRED").update(status="RECEIVED", outcome="")


def guard_again(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Create the triggers that went with the table, where they did."""
    if schema_editor.connection.vendor != "sqlite":
        return
    before = import_module("audits.migrations.0002_append_only")
    for statement in before._sqlite_create():
        if TABLE in statement:
            schema_editor.execute(statement)


class Migration(migrations.Migration):

    dependencies = [("audits", "0018_intake")]

    operations = [
        migrations.RunPython(migrations.RunPython.noop, guard_again),
        migrations.AlterField("compliancerecord", "outcome", models.CharField(max_length=32)),
        migrations.RunPython(guard_again, migrations.RunPython.noop),
        migrations.RunPython(name_kinds, unname_kinds),
    ]
