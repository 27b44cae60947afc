"""Give the operator's cases their kind, and close what nobody ever confirmed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import migrations
from django.db.models import Q

if TYPE_CHECKING:
    from django.apps.registry import Apps
    from django.db.backends.base.schema import BaseDatabaseSchemaEditor


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


class Migration(migrations.Migration):

    dependencies = [("audits", "0018_intake")]

    operations = [migrations.RunPython(name_kinds, unname_kinds)]
