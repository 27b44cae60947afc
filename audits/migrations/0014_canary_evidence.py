"""Evidence of canaries that were erased with the records."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("audits", "0017_legal_clock"),
    ]

    operations = [
        migrations.AlterField(
            model_name="evidence",
            name="kind",
            field=models.CharField(
                choices=[
                    ("U_LIRA", "U-LiRA"),
                    ("POPULATION", "Population MIA"),
                    ("CONSTRUCTION", "Construction (lineage and replay)"),
                    ("RELEASE", "Release gate (accuracy before and after)"),
                    ("CANARIES", "Canaries (planted before training)"),
                ],
                max_length=16,
            ),
        ),
    ]
