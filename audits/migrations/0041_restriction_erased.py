"""The end of a restriction whose data another case of the same person erased."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('audits', '0040_stored_policy'),
    ]

    operations = [
        migrations.AlterField(
            model_name='erasurerequest',
            name='outcome',
            field=models.CharField(blank=True, choices=[('', 'Open'), ('ERASED', 'Erased'), ('NO_DATA_FOUND', 'No data found'), ('REFUSED', 'Refused'), ('WITHDRAWN', 'Withdrawn'), ('JOINED', 'Joined to an earlier case'), ('REMOVED', 'Removed from training'), ('EXPIRED', 'Not confirmed in time'), ('NOT_IDENTIFIED', 'Person not identified'), ('RESTRICTION_LIFTED', 'Restriction ended'), ('RESTRICTION_ERASED', 'Restricted data erased')], default='', max_length=32),
        ),
    ]
