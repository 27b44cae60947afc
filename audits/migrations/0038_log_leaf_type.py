"""Events of one type are found by an index."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('audits', '0030_log_subtrees'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='logleaf',
            index=models.Index(fields=['type', 'index'], name='log_leaf_type'),
        ),
    ]
