"""The tables of 0001 to 0040 in one step, for a database that has none of them.

One that has some takes the steps that it lacks (docs/adr/0071-new-databases-take-the-short-way.md).
Left out is what those steps did to rows, as there are none: unmatched locations, names of models
that events told, the age of shadow models.
"""

from importlib import import_module

import django.db.models.deletion
import uuid
from django.conf import settings
from django.db import migrations, models

from lineage.migrations._new_tables import CreateModels

append_only = import_module("lineage.migrations.0002_append_only")
stronger_edges = import_module("lineage.migrations.0005_unmatched_locations")
compact_records = import_module("lineage.migrations.0007_compact_records")


def arrange(apps, schema_editor):
    """Say on PostgreSQL how rows are stored."""
    append_only.store_out_of_line(apps, schema_editor)
    compact_records.compact(apps, schema_editor)


def forbid(apps, schema_editor):
    """Create the triggers; that of the edges lets what is stronger pass."""
    append_only.install(apps, schema_editor)
    stronger_edges.lift(apps, schema_editor)
    stronger_edges.loosen(apps, schema_editor)


class Migration(migrations.Migration):

    replaces = [
        ('lineage', '0001_initial'),
        ('lineage', '0002_append_only'),
        ('lineage', '0003_capture_report'),
        ('lineage', '0004_record_locations'),
        ('lineage', '0005_unmatched_locations'),
        ('lineage', '0006_supersede_again'),
        ('lineage', '0007_compact_records'),
        ('lineage', '0008_purge_trace'),
        ('lineage', '0009_several_records_at_one_location'),
        ('lineage', '0010_named_locations'),
        ('lineage', '0011_one_name_for_one_model'),
        ('lineage', '0012_owner_of_a_report'),
        ('lineage', '0013_traces_of_forget_sets'),
        ('lineage', '0014_label_conflicts'),
        ('lineage', '0015_expiry'),
        ('lineage', '0017_locations_and_backups'),
        ('lineage', '0018_deployments'),
        ('lineage', '0019_notices_and_suppliers'),
        ('lineage', '0038_paused_queues'),
        ('lineage', '0040_api_keys_and_calls'),
    ]

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ('auth', '0012_alter_user_first_name_max_length'),
    ]

    operations = [
        CreateModels([
            migrations.CreateModel(
                name='ApiKey',
                fields=[
                    ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                    ('name', models.CharField(max_length=200)),
                    ('prefix', models.CharField(max_length=16, unique=True)),
                    ('digest', models.CharField(max_length=64)),
                    ('scopes', models.JSONField(default=list)),
                    ('created_at', models.DateTimeField()),
                    ('expires_at', models.DateTimeField(blank=True, null=True)),
                    ('last_used_at', models.DateTimeField(blank=True, null=True)),
                    ('revoked_at', models.DateTimeField(blank=True, null=True)),
                    ('acts_for', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
            ),
            migrations.CreateModel(
                name='DataSubject',
                fields=[
                    ('id', models.BigAutoField(primary_key=True, serialize=False)),
                    ('pseudonym', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                    ('created_at', models.DateTimeField()),
                    ('erased_at', models.DateTimeField(blank=True, null=True)),
                ],
            ),
            migrations.CreateModel(
                name='LineageNode',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('kind', models.CharField(choices=[('SNAPSHOT', 'Snapshot'), ('MODEL', 'Model version')], max_length=16)),
                    ('object_id', models.UUIDField(unique=True)),
                ],
            ),
            migrations.CreateModel(
                name='OrdinalSpace',
                fields=[
                    ('id', models.AutoField(primary_key=True, serialize=False)),
                    ('public_id', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                    ('name', models.CharField(max_length=200, unique=True)),
                    ('next_ordinal', models.BigIntegerField(default=0)),
                    ('next_seq', models.IntegerField(default=0)),
                ],
            ),
            migrations.CreateModel(
                name='ReceivedEvent',
                fields=[
                    ('sha256', models.CharField(max_length=64, primary_key=True, serialize=False)),
                    ('run_id', models.UUIDField(db_index=True)),
                    ('event_type', models.CharField(max_length=16)),
                    ('event_time', models.DateTimeField()),
                    ('received_at', models.DateTimeField()),
                    ('body', models.JSONField(default=dict)),
                ],
            ),
            migrations.CreateModel(
                name='Dataset',
                fields=[
                    ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                    ('namespace', models.CharField(default='default', max_length=200)),
                    ('name', models.CharField(max_length=200)),
                    ('dataset_type', models.CharField(default='IMAGE', max_length=50)),
                    ('parent', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to='lineage.dataset')),
                    ('space', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='datasets', to='lineage.ordinalspace')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('namespace', 'name'), name='a_dataset_name_is_unique_in_its_namespace')],
                },
            ),
            migrations.CreateModel(
                name='Job',
                fields=[
                    ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                    ('key', models.CharField(max_length=200, unique=True)),
                    ('kind', models.CharField(max_length=32)),
                    ('queue', models.CharField(max_length=16)),
                    ('payload_id', models.UUIDField(db_index=True)),
                    ('parameters', models.JSONField(blank=True, default=dict)),
                    ('then', models.CharField(blank=True, max_length=100)),
                    ('status', models.CharField(choices=[('QUEUED', 'Queued'), ('RUNNING', 'Running'), ('SUCCEEDED', 'Succeeded'), ('FAILED', 'Failed'), ('CANCELLED', 'Cancelled')], default='QUEUED', max_length=16)),
                    ('attempt', models.IntegerField(default=0)),
                    ('max_attempts', models.IntegerField(default=3)),
                    ('holder', models.UUIDField(blank=True, null=True)),
                    ('lease_until', models.DateTimeField(blank=True, null=True)),
                    ('heartbeat_at', models.DateTimeField(blank=True, null=True)),
                    ('rung_at', models.DateTimeField(blank=True, null=True)),
                    ('cancel_requested', models.BooleanField(default=False)),
                    ('phase', models.CharField(blank=True, max_length=100)),
                    ('done', models.BigIntegerField(default=0)),
                    ('total', models.BigIntegerField(default=0)),
                    ('error_code', models.CharField(blank=True, max_length=64)),
                    ('error', models.TextField(blank=True)),
                    ('created_at', models.DateTimeField()),
                    ('started_at', models.DateTimeField(blank=True, null=True)),
                    ('ended_at', models.DateTimeField(blank=True, null=True)),
                ],
                options={
                    'indexes': [models.Index(fields=['status', 'queue'], name='job_status_queue')],
                    'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('holder__isnull', False), ('status', 'RUNNING')), models.Q(models.Q(('status', 'RUNNING'), _negated=True), ('holder', None)), _connector='OR'), name='a_job_is_running_if_and_only_if_somebody_holds_it')],
                },
            ),
            migrations.CreateModel(
                name='MembershipTile',
                fields=[
                    ('pk', models.CompositePrimaryKey('space_id', 'group_no', 'block_no', blank=True, editable=False, primary_key=True, serialize=False)),
                    ('group_no', models.IntegerField()),
                    ('block_no', models.IntegerField()),
                    ('encoding', models.SmallIntegerField()),
                    ('sha256', models.BinaryField(max_length=32)),
                    ('bitmap', models.BinaryField()),
                    ('space', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='lineage.ordinalspace')),
                ],
            ),
            migrations.CreateModel(
                name='LineagePurge',
                fields=[
                    ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                    ('bitmap', models.BinaryField()),
                    ('purged_at', models.DateTimeField()),
                    ('case_id', models.UUIDField(db_index=True)),
                    ('mode', models.CharField(default='SHRED', max_length=16)),
                    ('space', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='purges', to='lineage.ordinalspace')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('space', 'case_id'), name='a_case_purges_a_space_once')],
                },
            ),
            migrations.CreateModel(
                name='ErasureViewOpening',
                fields=[
                    ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                    ('run_id', models.UUIDField(db_index=True)),
                    ('purpose', models.CharField(max_length=16)),
                    ('record_count', models.BigIntegerField()),
                    ('opened_at', models.DateTimeField()),
                    ('space', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='lineage.ordinalspace')),
                ],
            ),
            migrations.CreateModel(
                name='DataRecord',
                fields=[
                    ('pk', models.CompositePrimaryKey('space_id', 'ordinal', blank=True, editable=False, primary_key=True, serialize=False)),
                    ('ordinal', models.BigIntegerField()),
                    ('generated_at', models.DateTimeField()),
                    ('invalidated_at', models.DateTimeField(null=True)),
                    ('key_hmac', models.BinaryField(max_length=16, null=True)),
                    ('invalidated_by', models.UUIDField(null=True)),
                    ('subject', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='records', to='lineage.datasubject')),
                    ('space', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='records', to='lineage.ordinalspace')),
                ],
                options={
                    'constraints': [models.CheckConstraint(condition=models.Q(('invalidated_at', None), models.Q(('key_hmac', None), ('subject', None)), _connector='OR'), name='an_invalidated_record_has_no_identity')],
                },
            ),
            migrations.CreateModel(
                name='Procedure',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('namespace', models.CharField(default='default', max_length=200)),
                    ('name', models.CharField(max_length=200)),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('namespace', 'name'), name='a_procedure_name_is_unique_in_its_namespace')],
                },
            ),
            migrations.CreateModel(
                name='PurgePermit',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('purge', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='lineage.lineagepurge')),
                ],
            ),
            migrations.CreateModel(
                name='RecordContent',
                fields=[
                    ('pk', models.CompositePrimaryKey('space_id', 'ordinal', blank=True, editable=False, primary_key=True, serialize=False)),
                    ('ordinal', models.BigIntegerField()),
                    ('target', models.CharField(max_length=200)),
                    ('media_type', models.CharField(max_length=100)),
                    ('uri', models.CharField(max_length=500)),
                    ('sha256', models.CharField(db_index=True, max_length=64)),
                    ('size', models.BigIntegerField()),
                    ('space', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='contents', to='lineage.ordinalspace')),
                ],
            ),
            migrations.CreateModel(
                name='RecordMapBlock',
                fields=[
                    ('pk', models.CompositePrimaryKey('source_space_id', 'derived_space_id', 'block_no', 'part', blank=True, editable=False, primary_key=True, serialize=False)),
                    ('block_no', models.IntegerField()),
                    ('part', models.IntegerField()),
                    ('offsets', models.BinaryField()),
                    ('derived', models.BinaryField()),
                    ('sha256', models.BinaryField(max_length=32)),
                    ('derived_space', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='lineage.ordinalspace')),
                    ('source_space', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='lineage.ordinalspace')),
                ],
            ),
            migrations.CreateModel(
                name='Restriction',
                fields=[
                    ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                    ('case_id', models.UUIDField(db_index=True)),
                    ('bitmap', models.BinaryField()),
                    ('started_at', models.DateTimeField()),
                    ('lifted_at', models.DateTimeField(null=True)),
                    ('space', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='restrictions', to='lineage.ordinalspace')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('space', 'case_id'), name='a_case_restricts_a_space_once')],
                },
            ),
            migrations.CreateModel(
                name='Run',
                fields=[
                    ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                    ('activity', models.CharField(choices=[('TRAIN', 'Training'), ('FINE_TUNE', 'Fine-tuning'), ('DISTILL', 'Distillation'), ('MERGE', 'Merging of models'), ('AVERAGE', 'Averaging of weights'), ('QUANTISE', 'Quantisation'), ('EXPORT', 'Export to another format'), ('FIT', 'Fitting of a component'), ('EMBED', 'Embedding'), ('TRANSFORM', 'Transformation'), ('SYNTHESISE', 'Synthesis of data'), ('EVALUATE', 'Evaluation'), ('UNLEARN', 'Unlearning'), ('SHADOW', 'Shadow training')], max_length=16)),
                    ('state', models.CharField(choices=[('RUNNING', 'Running'), ('COMPLETE', 'Complete'), ('INCOMPLETE', 'Incomplete')], default='RUNNING', max_length=16)),
                    ('capture_level', models.CharField(choices=[('NONE', 'Not captured'), ('SNAPSHOT', 'Declared snapshot'), ('SAMPLER', 'Drawn by the sampler'), ('CONSUMED', 'Named by the training'), ('REPORTED', 'Reported by an event')], default='NONE', max_length=16)),
                    ('started_at', models.DateTimeField()),
                    ('ended_at', models.DateTimeField(blank=True, null=True)),
                    ('seconds', models.FloatField(blank=True, null=True)),
                    ('recipe', models.CharField(blank=True, max_length=200)),
                    ('recipe_parameters', models.JSONField(blank=True, default=dict)),
                    ('recipe_digest', models.CharField(blank=True, max_length=64)),
                    ('seed', models.BigIntegerField(blank=True, null=True)),
                    ('sampler', models.JSONField(blank=True, default=dict)),
                    ('environment', models.JSONField(blank=True, default=dict)),
                    ('external_id', models.CharField(blank=True, db_index=True, max_length=200)),
                    ('parent', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to='lineage.run')),
                    ('procedure', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to='lineage.procedure')),
                ],
            ),
            migrations.CreateModel(
                name='ModelVersion',
                fields=[
                    ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                    ('model_name', models.CharField(max_length=200)),
                    ('version', models.IntegerField()),
                    ('kind', models.CharField(choices=[('MODEL', 'Model'), ('SHADOW', 'Shadow model'), ('COMPONENT', 'Fitted component')], default='MODEL', max_length=16)),
                    ('state', models.CharField(choices=[('CANDIDATE', 'Candidate, not released'), ('ACTIVE', 'Active'), ('WITHDRAWN', 'Withdrawn'), ('QUARANTINED', 'Quarantined'), ('DESTROYED', 'Destroyed')], default='ACTIVE', max_length=16)),
                    ('guarantee', models.CharField(blank=True, max_length=32)),
                    ('generated_at', models.DateTimeField()),
                    ('invalidated_at', models.DateTimeField(blank=True, null=True)),
                    ('invalidated_by', models.UUIDField(blank=True, null=True)),
                    ('metrics', models.JSONField(blank=True, default=dict)),
                    ('aliases', models.JSONField(blank=True, default=list)),
                    ('external_id', models.CharField(blank=True, db_index=True, max_length=200)),
                    ('revision_of', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='revisions', to='lineage.modelversion')),
                    ('generated_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='versions', to='lineage.run')),
                    ('expires_at', models.DateTimeField(blank=True, null=True)),
                ],
                options={
                    'indexes': [models.Index(condition=models.Q(('expires_at__isnull', False), models.Q(('state', 'DESTROYED'), _negated=True)), fields=['expires_at'], name='version_that_will_expire')],
                    'constraints': [models.UniqueConstraint(fields=('model_name', 'version'), name='a_version_number_is_unique_in_its_model')],
                },
            ),
            migrations.CreateModel(
                name='Artefact',
                fields=[
                    ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                    ('kind', models.CharField(choices=[('WEIGHTS', 'Weights'), ('CHECKPOINT', 'Checkpoint'), ('PLOT', 'Plot'), ('RECORD', 'Sealed record'), ('REPORT', 'Report'), ('SUPPLIER', 'Evidence of a supplier')], max_length=16)),
                    ('uri', models.CharField(max_length=500)),
                    ('sha256', models.CharField(db_index=True, max_length=64)),
                    ('size', models.BigIntegerField()),
                    ('created_at', models.DateTimeField()),
                    ('destroyed_at', models.DateTimeField(blank=True, null=True)),
                    ('version', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='artefacts', to='lineage.modelversion')),
                ],
            ),
            migrations.CreateModel(
                name='LineageEdge',
                fields=[
                    ('pk', models.CompositePrimaryKey('src_id', 'dst_id', blank=True, editable=False, primary_key=True, serialize=False)),
                    ('relation', models.CharField(default='wasDerivedFrom', max_length=32)),
                    ('role', models.CharField(choices=[('TRAINING', 'Training data'), ('VALIDATION', 'Validation data'), ('BASE_MODEL', 'Base model'), ('TEACHER', 'Teacher'), ('SOURCE_MODEL', 'Source model'), ('GENERATOR', 'Generator of synthetic data'), ('PREPROCESSING', 'Preprocessing'), ('SCALER', 'Scaler'), ('VOCABULARY', 'Vocabulary'), ('FEATURES', 'Feature selection'), ('LABELS', 'Source of labels'), ('TUNING', 'Tuning of hyperparameters'), ('EARLY_STOPPING', 'Early stopping'), ('SOURCE_DATA', 'Source of derived data'), ('FORGET', 'Forget set')], max_length=16)),
                    ('influence', models.CharField(choices=[('DIRECT', 'Direct'), ('INDIRECT', 'Indirect'), ('NONE', 'None')], max_length=16)),
                    ('valid_from', models.DateTimeField()),
                    ('valid_to', models.DateTimeField(null=True)),
                    ('dst', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='in_edges', to='lineage.lineagenode')),
                    ('src', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='out_edges', to='lineage.lineagenode')),
                    ('run', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='lineage.run')),
                ],
            ),
            migrations.CreateModel(
                name='DatasetSnapshot',
                fields=[
                    ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                    ('seq', models.IntegerField()),
                    ('chain', models.SmallIntegerField(default=0)),
                    ('record_count', models.BigIntegerField()),
                    ('digest', models.CharField(max_length=64)),
                    ('external_version', models.CharField(blank=True, max_length=200)),
                    ('selection_rule', models.JSONField(blank=True, default=dict)),
                    ('created_at', models.DateTimeField()),
                    ('base', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='lineage.datasetsnapshot')),
                    ('dataset', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='snapshots', to='lineage.dataset')),
                    ('parent', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to='lineage.datasetsnapshot')),
                    ('space', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='snapshots', to='lineage.ordinalspace')),
                    ('generated_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='generated_snapshots', to='lineage.run')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('space', 'seq'), name='a_snapshot_number_is_unique_in_its_space')],
                },
            ),
            migrations.CreateModel(
                name='RunInput',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('role', models.CharField(choices=[('TRAINING', 'Training data'), ('VALIDATION', 'Validation data'), ('BASE_MODEL', 'Base model'), ('TEACHER', 'Teacher'), ('SOURCE_MODEL', 'Source model'), ('GENERATOR', 'Generator of synthetic data'), ('PREPROCESSING', 'Preprocessing'), ('SCALER', 'Scaler'), ('VOCABULARY', 'Vocabulary'), ('FEATURES', 'Feature selection'), ('LABELS', 'Source of labels'), ('TUNING', 'Tuning of hyperparameters'), ('EARLY_STOPPING', 'Early stopping'), ('SOURCE_DATA', 'Source of derived data'), ('FORGET', 'Forget set')], max_length=16)),
                    ('influence', models.CharField(choices=[('DIRECT', 'Direct'), ('INDIRECT', 'Indirect'), ('NONE', 'None')], max_length=16)),
                    ('masking', models.BooleanField(default=False)),
                    ('first_step_blob', models.BinaryField(null=True)),
                    ('node', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='used_by', to='lineage.lineagenode')),
                    ('run', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='inputs', to='lineage.run')),
                    ('used_snapshot', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='lineage.datasetsnapshot')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('run', 'node', 'role'), name='a_run_reads_a_node_once_per_role')],
                },
            ),
            migrations.CreateModel(
                name='RunOutput',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('node', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='generated_by', to='lineage.lineagenode')),
                    ('run', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='outputs', to='lineage.run')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('run', 'node'), name='a_run_writes_a_node_once')],
                },
            ),
            migrations.CreateModel(
                name='SnapshotChunk',
                fields=[
                    ('pk', models.CompositePrimaryKey('space_id', 'chunk_no', 'seq', blank=True, editable=False, primary_key=True, serialize=False)),
                    ('chunk_no', models.IntegerField()),
                    ('seq', models.IntegerField()),
                    ('cardinality', models.IntegerField()),
                    ('encoding', models.SmallIntegerField()),
                    ('is_delta', models.BooleanField(default=False)),
                    ('sha256', models.BinaryField(max_length=32)),
                    ('bitmap', models.BinaryField()),
                    ('space', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='lineage.ordinalspace')),
                ],
            ),
            migrations.CreateModel(
                name='SnapshotSupersession',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('previous_digest', models.CharField(max_length=64)),
                    ('digest', models.CharField(max_length=64)),
                    ('superseded_at', models.DateTimeField()),
                    ('purge', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='supersessions', to='lineage.lineagepurge')),
                    ('snapshot', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='supersessions', to='lineage.datasetsnapshot')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('snapshot', 'purge', 'previous_digest'), name='a_purge_rewrites_a_state_of_a_snapshot_once')],
                },
            ),
            migrations.CreateModel(
                name='SubjectIdentifier',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('kind', models.CharField(choices=[('EMAIL', 'E-mail address'), ('EXTERNAL', 'Identifier in the source system')], max_length=16)),
                    ('digest', models.CharField(max_length=64)),
                    ('subject', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='identifiers', to='lineage.datasubject')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('kind', 'digest'), name='an_identifier_belongs_to_one_subject')],
                },
            ),
            migrations.CreateModel(
                name='TileGroup',
                fields=[
                    ('pk', models.CompositePrimaryKey('space_id', 'group_no', blank=True, editable=False, primary_key=True, serialize=False)),
                    ('group_no', models.IntegerField()),
                    ('covered', models.SmallIntegerField()),
                    ('built_at', models.DateTimeField()),
                    ('space', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='lineage.ordinalspace')),
                ],
            ),
            migrations.CreateModel(
                name='ManifestImport',
                fields=[
                    ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                    ('manifest_sha256', models.CharField(max_length=64)),
                    ('line', models.BigIntegerField(default=0)),
                    ('imported', models.BigIntegerField(default=0)),
                    ('repeated', models.BigIntegerField(default=0)),
                    ('rejected', models.BigIntegerField(default=0)),
                    ('started_at', models.DateTimeField()),
                    ('updated_at', models.DateTimeField()),
                    ('finished_at', models.DateTimeField(blank=True, null=True)),
                    ('dataset', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='imports', to='lineage.dataset')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('dataset', 'manifest_sha256'), name='a_manifest_is_imported_once')],
                },
            ),
            migrations.CreateModel(
                name='CaptureReport',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('rank', models.IntegerField(default=0)),
                    ('ranks', models.IntegerField(default=1)),
                    ('heard_at', models.DateTimeField()),
                    ('barred', models.BinaryField()),
                    ('used', models.BinaryField(null=True)),
                    ('first_steps', models.BinaryField(null=True)),
                    ('sampler', models.JSONField(default=dict)),
                    ('run', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='reports', to='lineage.run')),
                    ('owner', models.CharField(blank=True, default='', max_length=200)),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('run', 'rank'), name='a_rank_reports_once')],
                },
            ),
            migrations.CreateModel(
                name='RecordLocation',
                fields=[
                    ('pk', models.CompositePrimaryKey('space_id', 'digest', 'ordinal', blank=True, editable=False, primary_key=True, serialize=False)),
                    ('digest', models.BinaryField(max_length=16)),
                    ('ordinal', models.BigIntegerField()),
                    ('space', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='lineage.ordinalspace')),
                ],
                options={
                    'indexes': [models.Index(fields=['space', 'ordinal'], name='location_of_a_record')],
                },
            ),
            migrations.CreateModel(
                name='NamedLocation',
                fields=[
                    ('pk', models.CompositePrimaryKey('digest', 'event_id', 'place', blank=True, editable=False, primary_key=True, serialize=False)),
                    ('digest', models.BinaryField(max_length=16)),
                    ('place', models.IntegerField()),
                    ('due', models.BooleanField(default=False)),
                    ('event', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='locations', to='lineage.receivedevent')),
                    ('matched', models.BooleanField(default=False)),
                ],
                options={
                    'indexes': [models.Index(condition=models.Q(('due', True)), fields=['event'], name='location_to_be_matched')],
                },
            ),
            migrations.CreateModel(
                name='PurgeTrace',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('node', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='lineage.lineagenode')),
                    ('purge', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='traces', to='lineage.lineagepurge')),
                    ('bitmap', models.BinaryField(default=bytes)),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('purge', 'node'), name='a_purge_traces_a_node_once')],
                },
            ),
            migrations.CreateModel(
                name='LabelConflict',
                fields=[
                    ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                    ('ordinal', models.BigIntegerField()),
                    ('other_ordinal', models.BigIntegerField(null=True)),
                    ('distance', models.FloatField()),
                    ('state', models.CharField(choices=[('HELD', 'Held back'), ('KEPT', 'In use'), ('RELEASED', 'Checked, in use')], max_length=8)),
                    ('found_at', models.DateTimeField()),
                    ('space', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='lineage.ordinalspace')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('space', 'ordinal'), name='a_record_comes_into_conflict_once')],
                },
            ),
            migrations.CreateModel(
                name='Location',
                fields=[
                    ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                    ('slug', models.SlugField(max_length=64, unique=True)),
                    ('kind', models.CharField(max_length=64)),
                    ('settings', models.JSONField(blank=True, default=dict)),
                    ('purpose', models.CharField(max_length=200)),
                    ('category', models.CharField(choices=[('DATA', 'Data'), ('CACHE', 'Cache'), ('EXPORT', 'Export'), ('LABELS', 'Labels'), ('LOG', 'Log')], default='DATA', max_length=8)),
                    ('retention_days', models.PositiveIntegerField(blank=True, null=True)),
                    ('mask_reason', models.CharField(blank=True, max_length=200)),
                    ('active', models.BooleanField(default=True)),
                    ('created_at', models.DateTimeField()),
                ],
                options={
                    'ordering': ['slug'],
                },
            ),
            migrations.CreateModel(
                name='SuppressionHit',
                fields=[
                    ('day', models.DateField(primary_key=True, serialize=False)),
                    ('people', models.PositiveIntegerField(default=0)),
                ],
            ),
            migrations.CreateModel(
                name='Backup',
                fields=[
                    ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                    ('name', models.CharField(max_length=100, unique=True)),
                    ('made_at', models.DateTimeField()),
                    ('expires_at', models.DateTimeField()),
                    ('covers', models.CharField(max_length=200)),
                    ('note', models.CharField(blank=True, max_length=200)),
                    ('destroyed_at', models.DateTimeField(blank=True, null=True)),
                ],
                options={
                    'ordering': ['expires_at', 'name'],
                    'constraints': [models.CheckConstraint(condition=models.Q(('expires_at__gt', models.F('made_at'))), name='a_backup_expires_after_it_was_made')],
                },
            ),
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
                    ('locale', models.CharField(blank=True, max_length=8, verbose_name='language')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(condition=models.Q(('switched_at', None), ('withdrawn_at', None)), fields=('model_name', 'place'), name='one_version_of_a_model_runs_at_a_place'), models.CheckConstraint(condition=models.Q(models.Q(('replaced_by', None), ('switched_at', None)), models.Q(('replaced_by__isnull', False), ('switched_at__isnull', False)), _connector='OR'), name='a_switch_over_names_what_came')],
                },
            ),
            migrations.CreateModel(
                name='PausedQueue',
                fields=[
                    ('queue', models.CharField(max_length=16, primary_key=True, serialize=False)),
                    ('paused_at', models.DateTimeField()),
                    ('paused_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
            ),
            migrations.CreateModel(
                name='KeptAnswer',
                fields=[
                    ('call', models.CharField(max_length=64, primary_key=True, serialize=False)),
                    ('asked', models.CharField(max_length=64)),
                    ('status', models.SmallIntegerField(null=True)),
                    ('media_type', models.CharField(blank=True, max_length=100)),
                    ('body', models.BinaryField(default=bytes)),
                    ('made_at', models.DateTimeField(db_index=True)),
                ],
            ),
        ]),
        migrations.RunPython(arrange, compact_records.loosen),
        migrations.RunPython(forbid, append_only.remove),
    ]
