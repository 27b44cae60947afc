"""Beside each column that says who a person is, one that the key of the case opens."""

import json

from django.db import migrations, models

from audits.models import case_secrets

REQUEST = ("email",)
DETAILS = (
    "description",
    "model_name",
    "identifiers",
    "postal_address",
    "agent_name",
    "agent_contact",
)
COLUMNS = (("ErasureRequest", REQUEST), ("PersonalDetails", DETAILS))


def _rows(apps, schema_editor):
    for model, columns in COLUMNS:
        manager = apps.get_model("audits", model).objects.using(schema_editor.connection.alias)
        for row in manager.all():
            yield row, columns, model.lower()


def seal(apps, schema_editor):
    """Seal what stands in the clear."""
    for row, columns, model in _rows(apps, schema_editor):
        for column in columns:
            value = getattr(row, column)
            if value:
                text = value if isinstance(value, str) else json.dumps(value)
                content = case_secrets.seal(row.pk, f"{model}.{column}", text.encode())
                setattr(row, f"{column}_sealed", content)
        row.save(update_fields=[f"{column}_sealed" for column in columns])


def unseal(apps, schema_editor):
    """Open what has a key; what has none any more stays empty."""
    for row, columns, model in _rows(apps, schema_editor):
        for column in columns:
            sealed = bytes(getattr(row, f"{column}_sealed"))
            try:
                text = case_secrets.unseal(row.pk, f"{model}.{column}", sealed).decode()
            except case_secrets.NotReadable:
                continue
            setattr(row, column, json.loads(text) if column == "identifiers" else text)
        row.save(update_fields=list(columns))


class Migration(migrations.Migration):
    dependencies = [("audits", "0023_registers")]

    operations = [
        *(
            migrations.AddField(model, f"{column}_sealed", models.BinaryField(default=bytes))
            for model, columns in COLUMNS
            for column in columns
        ),
        migrations.RunPython(seal, unseal),
    ]
