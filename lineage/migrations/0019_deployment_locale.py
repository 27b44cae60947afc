"""The language in which whoever runs a version is written to."""


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
    ]
