"""Give shadow models a time to live; those that there are already had none, and get 60 days."""

from datetime import timedelta

from django.db import migrations, models
from django.db.models import F

DAYS = 60


def limit(apps, schema_editor):
    versions = apps.get_model("lineage", "ModelVersion").objects.using(
        schema_editor.connection.alias
    )
    versions.filter(kind="SHADOW").exclude(state="DESTROYED").update(
        expires_at=F("generated_at") + timedelta(days=DAYS)
    )


class Migration(migrations.Migration):
    dependencies = [
        ("lineage", "0014_label_conflicts"),
    ]

    operations = [
        migrations.AddField(
            model_name="modelversion",
            name="expires_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.RunPython(limit, migrations.RunPython.noop),
        migrations.AddIndex(
            model_name="modelversion",
            index=models.Index(
                condition=models.Q(
                    ("expires_at__isnull", False), models.Q(("state", "DESTROYED"), _negated=True)
                ),
                fields=["expires_at"],
                name="version_that_will_expire",
            ),
        ),
    ]
