"""How hard records are, at nine quantiles and not in the middle alone.

Null where an earlier release did not note it; without a default, so that SQLite adds the columns
in place and the triggers of the append-only table stay.
"""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("audits", "0014_canary_evidence"),
    ]

    operations = [
        migrations.AddField(
            model_name="auditplan",
            name="profile",
            field=models.JSONField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="procedurecertificate",
            name="profile",
            field=models.JSONField(blank=True, null=True),
        ),
    ]
