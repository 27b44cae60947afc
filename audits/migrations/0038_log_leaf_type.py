"""Events of one type are found by an index."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('audits', '0036_registers_of_rules'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='logleaf',
            index=models.Index(fields=['type', 'index'], name='log_leaf_type'),
        ),
    ]
