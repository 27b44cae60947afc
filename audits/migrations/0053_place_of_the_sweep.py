from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('audits', '0052_sweep_marks'),
    ]

    operations = [
        migrations.AddField(
            model_name='sweepmark',
            name='after',
            field=models.UUIDField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name='sweepmark',
            name='left',
            field=models.PositiveIntegerField(db_default=0, default=0),
        ),
    ]
