"""The canaries that versions were trained with, and those that runs have spent."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("lineage", "0015_expiry"),
        ("unlearning", "0008_privacy"),
    ]

    operations = [
        migrations.CreateModel(
            name="Canaries",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("planting", models.UUIDField(db_index=True)),
                ("number", models.PositiveIntegerField()),
                ("first", models.PositiveIntegerField(default=0)),
                ("units", models.JSONField()),
                ("digest", models.CharField(max_length=64)),
                (
                    "version",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="planted",
                        to="lineage.modelversion",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="SpentCanaries",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("planting", models.UUIDField()),
                ("first", models.PositiveIntegerField()),
                ("last", models.PositiveIntegerField()),
                (
                    "run",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="canaries",
                        to="unlearning.unlearningrun",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("planting", "first"), name="canaries_are_spent_once"
                    )
                ],
            },
        ),
    ]
