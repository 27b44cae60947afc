"""The record of processing as staff describe it, and the versions of the rules."""

import django.db.models.deletion
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('audits', '0035_checkpoint_anchors'),
        ('lineage', '0018_deployments'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='RulesVersion',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('POLICY', 'Policy of evidence'), ('METHOD', 'Choice of methods'), ('WORKFLOW', 'Workflow of a case'), ('ROLES', 'Roles and the second person'), ('CLOCK', 'Legal clock'), ('ATTACKS', 'Attacks')], max_length=16)),
                ('number', models.PositiveIntegerField()),
                ('digest', models.CharField(db_index=True, max_length=64)),
                ('content', models.JSONField()),
                ('since', models.DateTimeField()),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('kind', 'number'), name='rules_of_a_kind_have_a_number_once')],
            },
        ),
        migrations.CreateModel(
            name='ProcessingActivity',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('number', models.PositiveIntegerField()),
                ('purposes', models.TextField(blank=True)),
                ('basis', models.CharField(blank=True, choices=[('', 'Not said'), ('ART_6_1_A', 'Consent (6(1)(a))'), ('ART_6_1_B', 'Contract (6(1)(b))'), ('ART_6_1_C', 'Legal obligation (6(1)(c))'), ('ART_6_1_D', 'Vital interests (6(1)(d))'), ('ART_6_1_E', 'Public task (6(1)(e))'), ('ART_6_1_F', 'Legitimate interests (6(1)(f))')], default='', max_length=16)),
                ('subjects', models.TextField(blank=True, verbose_name='categories of data subjects')),
                ('data', models.TextField(blank=True, verbose_name='categories of personal data')),
                ('recipients', models.TextField(blank=True, verbose_name='categories of recipients')),
                ('transfers', models.TextField(blank=True, verbose_name='transfers to third countries')),
                ('retention', models.TextField(blank=True, verbose_name='time limits for erasure')),
                ('measures', models.TextField(blank=True, verbose_name='security measures')),
                ('digest', models.CharField(max_length=64)),
                ('described_at', models.DateTimeField()),
                ('dataset', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='processing', to='lineage.dataset')),
                ('described_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('location', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='processing', to='lineage.location')),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('dataset', None), ('location', None), _connector='OR'), name='an_activity_is_of_one_thing'), models.UniqueConstraint(condition=models.Q(('dataset', None), ('location', None)), fields=('number',), name='requests_are_described_once_under_a_number'), models.UniqueConstraint(fields=('dataset', 'number'), name='a_dataset_is_described_once_under_a_number'), models.UniqueConstraint(fields=('location', 'number'), name='a_location_is_described_once_under_a_number')],
            },
        ),
    ]
