"""What others say of a checkpoint: time stamps and cosignatures."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('audits', '0032_notices_and_suppliers'),
    ]

    operations = [
        migrations.CreateModel(
            name='CheckpointAnchor',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('STAMP', 'Time-stamping authority'), ('WITNESS', 'Witness')], max_length=8)),
                ('data', models.BinaryField(default=bytes)),
                ('digest', models.CharField(blank=True, max_length=64)),
                ('said_at', models.DateTimeField(blank=True, null=True)),
                ('attempts', models.PositiveIntegerField(default=0)),
                ('error', models.CharField(blank=True, max_length=200)),
                ('next_at', models.DateTimeField()),
                ('created_at', models.DateTimeField()),
                ('checkpoint', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='anchors', to='audits.logcheckpoint')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('checkpoint', 'kind'), name='each_is_asked_once_about_a_checkpoint')],
            },
        ),
    ]
