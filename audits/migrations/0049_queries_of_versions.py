"""How often the guards of serving processes say that a version answered."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('audits', '0047_queries_of_served_models'),
        ('lineage', '0040_api_keys_and_calls'),
    ]

    operations = [
        migrations.CreateModel(
            name='VersionQueries',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField()),
                ('answers', models.PositiveBigIntegerField()),
                ('reported_at', models.DateTimeField()),
                ('version', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='queries', to='lineage.modelversion')),
            ],
            options={
                'verbose_name_plural': 'version queries',
            },
        ),
        migrations.AddConstraint(
            model_name='versionqueries',
            constraint=models.UniqueConstraint(fields=('version', 'day'), name='a_version_is_counted_once_a_day'),
        ),
    ]
