"""The tables of 0001 to 0009 in one step, for a database that has none of them.

One that has some takes the steps that it lacks (docs/adr/0071-new-databases-take-the-short-way.md).
"""

from importlib import import_module

import django.db.models.deletion
import uuid
from django.db import migrations, models

from lineage.migrations._new_tables import CreateModels

frozen_for_good = import_module("unlearning.migrations.0005_frozen_for_good")
shards = import_module("unlearning.migrations.0007_shards")
privacy = import_module("unlearning.migrations.0008_privacy")


def forbid(apps, schema_editor):
    """Create the triggers; those of promises call a function of those of searches."""
    frozen_for_good.forbid(apps, schema_editor)
    privacy.forbid(apps, schema_editor)


def allow(apps, schema_editor):
    """Drop the triggers, unless the steps that are replaced would refuse."""
    shards.refuse_shards(apps, schema_editor)
    privacy.refuse_left_alone(apps, schema_editor)
    privacy.allow(apps, schema_editor)
    frozen_for_good.allow(apps, schema_editor)


class Migration(migrations.Migration):

    replaces = [
        ('unlearning', '0001_initial'),
        ('unlearning', '0002_tuning'),
        ('unlearning', '0003_training_history'),
        ('unlearning', '0004_tuning_fixed'),
        ('unlearning', '0005_frozen_for_good'),
        ('unlearning', '0006_history_records'),
        ('unlearning', '0007_shards'),
        ('unlearning', '0008_privacy'),
        ('unlearning', '0009_canaries'),
    ]

    initial = True

    dependencies = [
        ('lineage', '0015_expiry'),
    ]

    operations = [
        CreateModels([
            migrations.CreateModel(
                name='Tuning',
                fields=[
                    ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                    ('method', models.CharField(max_length=64)),
                    ('recipe', models.CharField(max_length=200)),
                    ('recipe_parameters', models.JSONField(default=dict)),
                    ('recipe_digest', models.CharField(blank=True, max_length=64)),
                    ('trials_wanted', models.PositiveIntegerField()),
                    ('proxies', models.PositiveIntegerField()),
                    ('seed', models.BigIntegerField()),
                    ('state', models.CharField(choices=[('SEARCHING', 'Searching'), ('FROZEN', 'Frozen'), ('FAILED', 'Failed')], default='SEARCHING', max_length=16)),
                    ('version', models.PositiveIntegerField(blank=True, null=True)),
                    ('hyperparameters', models.JSONField(blank=True, default=dict)),
                    ('objectives', models.JSONField(blank=True, default=dict)),
                    ('study_digest', models.CharField(blank=True, max_length=64)),
                    ('created_at', models.DateTimeField()),
                    ('frozen_at', models.DateTimeField(blank=True, null=True)),
                    ('snapshot', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='lineage.datasetsnapshot')),
                    ('digest', models.CharField(blank=True, max_length=64)),
                    ('failure', models.TextField(blank=True)),
                    ('forget', models.BinaryField(default=bytes)),
                    ('view', models.BinaryField(default=bytes)),
                ],
                options={
                    'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('state', 'FROZEN'), _negated=True), models.Q(models.Q(('study_digest', ''), _negated=True), ('version__isnull', False)), _connector='OR'), name='what_is_frozen_names_its_study'), models.UniqueConstraint(fields=('method', 'recipe_digest', 'version'), name='a_tuning_has_a_version_of_its_own')],
                },
            ),
            migrations.CreateModel(
                name='UnlearningRun',
                fields=[
                    ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                    ('method', models.CharField(max_length=64)),
                    ('hyperparameters', models.JSONField(blank=True, default=dict)),
                    ('seed', models.BigIntegerField()),
                    ('forget_bitmap', models.BinaryField()),
                    ('forget_count', models.BigIntegerField()),
                    ('forget_digest', models.CharField(max_length=64)),
                    ('status', models.CharField(choices=[('WAITING', 'Waiting for a decision'), ('QUEUED', 'Queued'), ('RUNNING', 'Running'), ('SUCCEEDED', 'Awaiting audit'), ('CLEARED', 'Cleared'), ('REJECTED', 'Not cleared'), ('FAILED', 'Failed')], default='QUEUED', max_length=16)),
                    ('guarantee', models.CharField(blank=True, max_length=32)),
                    ('report', models.JSONField(blank=True, default=dict)),
                    ('seconds', models.FloatField(blank=True, null=True)),
                    ('retrain_seconds_predicted', models.FloatField(blank=True, null=True)),
                    ('error_code', models.CharField(blank=True, max_length=64)),
                    ('error', models.TextField(blank=True)),
                    ('created_at', models.DateTimeField()),
                    ('ended_at', models.DateTimeField(blank=True, null=True)),
                    ('base', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='rebuilt_children', to='lineage.modelversion')),
                    ('escalated_from', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='escalated_to', to='unlearning.unlearningrun')),
                    ('space', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='lineage.ordinalspace')),
                    ('target', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='unlearning_runs', to='lineage.modelversion')),
                    ('unlearned', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='unlearned_by', to='lineage.modelversion')),
                    ('tuning', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='runs', to='unlearning.tuning')),
                    ('weighed', models.JSONField(blank=True, default=dict)),
                    ('interim', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='interim_of', to='lineage.modelversion')),
                ],
                options={
                    'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('status__in', ['SUCCEEDED', 'CLEARED', 'REJECTED']), ('unlearned__isnull', False)), models.Q(('method__in', ['destroy', 'no_action']), ('unlearned', None)), models.Q(('status__in', ['WAITING', 'QUEUED', 'RUNNING', 'FAILED']), ('unlearned', None)), _connector='OR'), name='a_run_that_succeeded_has_an_unlearned_model_unless_it_destroys')],
                },
            ),
            migrations.CreateModel(
                name='TuningTrial',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('number', models.PositiveIntegerField()),
                    ('hyperparameters', models.JSONField()),
                    ('values', models.JSONField(default=list)),
                    ('attributes', models.JSONField(default=dict)),
                    ('ended_at', models.DateTimeField()),
                    ('tuning', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='trials', to='unlearning.tuning')),
                    ('share', models.PositiveIntegerField(default=0)),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('tuning', 'number'), name='a_trial_has_a_number_of_its_own')],
                },
            ),
            migrations.CreateModel(
                name='TrainingHistory',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('name', models.CharField(max_length=64, unique=True)),
                    ('account', models.BinaryField(default=bytes)),
                    ('created_at', models.DateTimeField()),
                    ('job', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='lineage.job')),
                    ('version', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='histories', to='lineage.modelversion')),
                    ('bitmap', models.BinaryField(default=bytes)),
                    ('space', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='lineage.ordinalspace')),
                    ('shard', models.PositiveIntegerField(blank=True, null=True)),
                ],
                options={
                    'constraints': [models.UniqueConstraint(condition=models.Q(('shard', None)), fields=('version',), name='a_version_has_one_history_of_the_whole'), models.UniqueConstraint(fields=('version', 'shard'), name='a_version_has_one_history_of_a_shard')],
                },
            ),
            migrations.CreateModel(
                name='HistoryFile',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('key', models.CharField(max_length=200, unique=True)),
                    ('artefact', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='lineage.artefact')),
                    ('history', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='files', to='unlearning.traininghistory')),
                ],
            ),
            migrations.CreateModel(
                name='HistorySlice',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('number', models.PositiveIntegerField()),
                    ('bound', models.PositiveBigIntegerField()),
                    ('bitmap', models.BinaryField()),
                    ('history', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='slices', to='unlearning.traininghistory')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('history', 'number'), name='a_slice_has_a_number_of_its_own')],
                },
            ),
            migrations.CreateModel(
                name='TrainingPrivacy',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('clip', models.FloatField()),
                    ('noise', models.FloatField()),
                    ('rate', models.FloatField()),
                    ('steps', models.BigIntegerField()),
                    ('epsilon', models.FloatField(null=True)),
                    ('delta', models.FloatField()),
                    ('accountant', models.CharField(max_length=8)),
                    ('people', models.BigIntegerField()),
                    ('largest', models.BigIntegerField()),
                    ('created_at', models.DateTimeField()),
                    ('version', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='privacy', to='lineage.modelversion')),
                ],
            ),
            migrations.CreateModel(
                name='Canaries',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('planting', models.UUIDField(db_index=True)),
                    ('number', models.PositiveIntegerField()),
                    ('first', models.PositiveIntegerField(default=0)),
                    ('units', models.JSONField()),
                    ('digest', models.CharField(max_length=64)),
                    ('version', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='planted', to='lineage.modelversion')),
                ],
            ),
            migrations.CreateModel(
                name='SpentCanaries',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('planting', models.UUIDField()),
                    ('first', models.PositiveIntegerField()),
                    ('last', models.PositiveIntegerField()),
                    ('run', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='canaries', to='unlearning.unlearningrun')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('planting', 'first'), name='canaries_are_spent_once')],
                },
            ),
        ]),
        migrations.RunPython(forbid, allow),
    ]
