"""Where model versions run."""

import django.db.models.deletion
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('lineage', '0017_locations_and_backups'),
    ]

    operations = [
        migrations.CreateModel(
            name='Deployment',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('model_name', models.CharField(max_length=200)),
                ('place', models.CharField(max_length=200)),
                ('kind', models.CharField(choices=[('ENDPOINT', 'Endpoint'), ('HUB', 'Model hub'), ('DEVICE', 'Devices'), ('BATCH', 'Batch job'), ('OTHER', 'Another place')], max_length=16)),
                ('contact', models.EmailField(blank=True, max_length=254)),
                ('reader', models.CharField(blank=True, max_length=200)),
                ('deployed_at', models.DateTimeField()),
                ('switched_at', models.DateTimeField(blank=True, null=True)),
                ('withdrawn_at', models.DateTimeField(blank=True, null=True)),
                ('acknowledged_at', models.DateTimeField(blank=True, null=True)),
                ('note', models.CharField(blank=True, max_length=500)),
                ('replaced_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='lineage.modelversion')),
                ('version', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='deployments', to='lineage.modelversion')),
            ],
            options={
                'constraints': [models.UniqueConstraint(condition=models.Q(('switched_at', None), ('withdrawn_at', None)), fields=('model_name', 'place'), name='one_version_of_a_model_runs_at_a_place'), models.CheckConstraint(condition=models.Q(models.Q(('replaced_by', None), ('switched_at', None)), models.Q(('replaced_by__isnull', False), ('switched_at__isnull', False)), _connector='OR'), name='a_switch_over_names_what_came')],
            },
        ),
    ]
