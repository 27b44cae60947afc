"""The language in which whoever runs a version is written to; files of suppliers."""


from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('lineage', '0018_deployments'),
    ]

    operations = [
        migrations.AddField(
            model_name='deployment',
            name='locale',
            field=models.CharField(blank=True, max_length=8, verbose_name='language'),
        ),
        migrations.AlterField(
            model_name='artefact',
            name='kind',
            field=models.CharField(choices=[('WEIGHTS', 'Weights'), ('CHECKPOINT', 'Checkpoint'), ('PLOT', 'Plot'), ('RECORD', 'Sealed record'), ('REPORT', 'Report'), ('SUPPLIER', 'Evidence of a supplier')], max_length=16),
        ),
    ]
