"""What the page of a case shows beside: pictures of its record, and what a job says."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('audits', '0041_restriction_erased'),
        ('lineage', '0038_paused_queues'),
    ]

    operations = [
        migrations.CreateModel(
            name='CasePictures',
            fields=[
                ('request', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='pictures', serialize=False, to='audits.erasurerequest')),
                ('provenance', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='lineage.artefact')),
                ('timeline', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='lineage.artefact')),
            ],
            options={
                'verbose_name_plural': 'case pictures',
            },
        ),
        migrations.CreateModel(
            name='JobLine',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField()),
                ('level', models.CharField(max_length=8)),
                ('text', models.CharField(max_length=300)),
                ('job', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='lines', to='lineage.job')),
            ],
            options={
                'ordering': ('pk',),
            },
        ),
    ]
