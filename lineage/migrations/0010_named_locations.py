"""Keep the locations that events named when they are matched too: other records may come later."""

import django.db.models.deletion
from django.db import migrations, models


def keep_unmatched(apps, schema_editor):
    """Forget what was matched, as before."""
    apps.get_model("lineage", "NamedLocation").objects.filter(matched=True).delete()


class Migration(migrations.Migration):
    dependencies = [("lineage", "0009_several_records_at_one_location")]
    operations = [
        migrations.RenameModel("UnmatchedLocation", "NamedLocation"),
        migrations.AlterField(
            model_name="namedlocation",
            name="event",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="locations",
                to="lineage.receivedevent",
            ),
        ),
        migrations.AddField(
            model_name="namedlocation",
            name="matched",
            field=models.BooleanField(default=False),
        ),
        migrations.RunPython(migrations.RunPython.noop, keep_unmatched),
    ]
