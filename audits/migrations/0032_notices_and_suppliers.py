"""Notices are written from the texts of letters and kept; suppliers give evidence."""


import django.db.models.deletion
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('audits', '0030_log_subtrees'),
        ('lineage', '0019_notices_and_suppliers'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='notice',
            name='locale',
            field=models.CharField(blank=True, max_length=8),
        ),
        migrations.AddField(
            model_name='notice',
            name='text',
            field=models.TextField(blank=True),
        ),
        migrations.AddField(
            model_name='notice',
            name='text_version',
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='publication',
            name='locale',
            field=models.CharField(blank=True, choices=[('en', 'English'), ('fr', 'Français'), ('de', 'Deutsch')], max_length=8, verbose_name='language'),
        ),
        migrations.AddField(
            model_name='recipient',
            name='locale',
            field=models.CharField(blank=True, choices=[('en', 'English'), ('fr', 'Français'), ('de', 'Deutsch')], max_length=8, verbose_name='language'),
        ),
        migrations.AlterField(
            model_name='notice',
            name='error',
            field=models.CharField(blank=True, max_length=300),
        ),
        migrations.CreateModel(
            name='SupplierEvidence',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('MODEL_CARD', 'Model card'), ('DATA_SUMMARY', 'Summary of the training data'), ('TEST_REPORT', 'Report of privacy tests'), ('ERASURE_RECORD', 'Record of an erasure or unlearning'), ('CONTRACT', 'Clause of a contract'), ('DECLARATION', 'Declaration')], max_length=16)),
                ('supplier', models.CharField(max_length=200)),
                ('dated', models.DateField()),
                ('statement', models.TextField()),
                ('added_at', models.DateTimeField()),
                ('added_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('file', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='lineage.artefact')),
                ('version', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='supplier_evidence', to='lineage.modelversion')),
            ],
            options={
                'ordering': ['dated', 'added_at'],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('supplier', ''), _negated=True), models.Q(('statement', ''), _negated=True)), name='a_supplier_has_a_name_and_says_something')],
            },
        ),
    ]
