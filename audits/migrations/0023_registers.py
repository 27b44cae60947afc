"""Recipients, publications and notices; exceptions of versions; claims of anonymity."""

import datetime
import django.db.models.deletion
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('audits', '0022_letters'),
        ('lineage', '0018_deployments'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='ToldWho',
            fields=[
                ('request', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='told_who', serialize=False, to='audits.erasurerequest')),
                ('asked_who_received', models.BooleanField(default=False)),
            ],
        ),
        migrations.CreateModel(
            name='AnonymityClaim',
            fields=[
                ('version', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='anonymity', serialize=False, to='lineage.modelversion')),
                ('reasons', models.JSONField(blank=True, default=dict)),
                ('claimed_at', models.DateTimeField()),
                ('claimed_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('evidence', models.ManyToManyField(blank=True, related_name='+', to='audits.evidence')),
            ],
        ),
        migrations.CreateModel(
            name='Publication',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('where', models.CharField(choices=[('HUB', 'Model hub'), ('DATASET', 'Release of a data set'), ('WEB', 'Web page')], max_length=16)),
                ('address', models.CharField(max_length=500)),
                ('contact', models.EmailField(blank=True, max_length=254)),
                ('steps', models.TextField()),
                ('since', models.DateField(default=datetime.date.today)),
                ('active', models.BooleanField(default=True)),
                ('datasets', models.ManyToManyField(blank=True, related_name='publications', to='lineage.dataset')),
                ('versions', models.ManyToManyField(blank=True, related_name='publications', to='lineage.modelversion')),
            ],
        ),
        migrations.CreateModel(
            name='Recipient',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=200)),
                ('role', models.CharField(choices=[('RECIPIENT', 'Recipient'), ('PROCESSOR', 'Processor'), ('JOINT', 'Joint controller')], default='RECIPIENT', max_length=16)),
                ('contract_ref', models.CharField(blank=True, max_length=200, verbose_name='contract')),
                ('contact', models.EmailField(blank=True, max_length=254)),
                ('api_reader', models.CharField(blank=True, max_length=200, verbose_name='name of their API keys')),
                ('since', models.DateField(default=datetime.date.today)),
                ('active', models.BooleanField(default=True)),
                ('datasets', models.ManyToManyField(blank=True, related_name='recipients', to='lineage.dataset')),
                ('versions', models.ManyToManyField(blank=True, related_name='recipients', to='lineage.modelversion')),
            ],
        ),
        migrations.CreateModel(
            name='Notice',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('occasion', models.CharField(choices=[('ERASED', 'Erasure'), ('RESTRICTED', 'Restriction'), ('DESTROYED', 'Destruction of a version')], max_length=16)),
                ('versions', models.JSONField(blank=True, default=list)),
                ('datasets', models.JSONField(blank=True, default=list)),
                ('state', models.CharField(choices=[('DUE', 'To be sent'), ('SENT', 'Sent, not acknowledged'), ('FAILED', 'Not sent, tried again'), ('ACKNOWLEDGED', 'Acknowledged'), ('NOT_POSSIBLE', 'Not possible')], default='DUE', max_length=16)),
                ('created_at', models.DateTimeField()),
                ('next_at', models.DateTimeField()),
                ('attempts', models.PositiveIntegerField(default=0)),
                ('error', models.CharField(blank=True, max_length=64)),
                ('digest', models.CharField(blank=True, max_length=64)),
                ('sent_at', models.DateTimeField(blank=True, null=True)),
                ('ack_at', models.DateTimeField(blank=True, null=True)),
                ('reason', models.TextField(blank=True)),
                ('decided_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('deployment', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='notices', to='lineage.deployment')),
                ('request', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='notices', to='audits.erasurerequest')),
                ('publication', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='notices', to='audits.publication')),
                ('recipient', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='notices', to='audits.recipient')),
            ],
        ),
        migrations.CreateModel(
            name='VersionException',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.CharField(choices=[('ART_17_3_A', 'Freedom of expression and information (17(3)(a))'), ('ART_17_3_B', 'Legal obligation or public task (17(3)(b))'), ('ART_17_3_C', 'Public interest in public health (17(3)(c))'), ('ART_17_3_D', 'Archiving, research or statistics (17(3)(d))'), ('ART_17_3_E', 'Legal claims (17(3)(e))')], max_length=16)),
                ('reason', models.TextField()),
                ('until', models.DateField()),
                ('proposed_at', models.DateTimeField()),
                ('approved_at', models.DateTimeField(blank=True, null=True)),
                ('approved_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('proposed_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('request', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='version_exceptions', to='audits.erasurerequest')),
                ('version', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='exceptions', to='lineage.modelversion')),
            ],
        ),
        migrations.AddConstraint(
            model_name='recipient',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('role', 'PROCESSOR'), _negated=True), models.Q(('contract_ref', ''), _negated=True), _connector='OR'), name='a_processor_has_a_contract', violation_error_message='Name the contract of a processor (Art. 28(3)).'),
        ),
        migrations.AddConstraint(
            model_name='notice',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('deployment', None), ('publication', None), ('recipient__isnull', False)), models.Q(('deployment', None), ('publication__isnull', False), ('recipient', None)), models.Q(('deployment__isnull', False), ('publication', None), ('recipient', None)), _connector='OR'), name='a_notice_goes_to_exactly_one'),
        ),
        migrations.AddConstraint(
            model_name='notice',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'ACKNOWLEDGED'), _negated=True), ('ack_at__isnull', False), _connector='OR'), name='what_is_acknowledged_has_a_moment'),
        ),
        migrations.AddConstraint(
            model_name='notice',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'NOT_POSSIBLE'), _negated=True), models.Q(('reason', ''), _negated=True), _connector='OR'), name='what_is_not_possible_has_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='notice',
            constraint=models.UniqueConstraint(fields=('request', 'occasion', 'recipient'), name='a_recipient_is_told_once_of_a_case'),
        ),
        migrations.AddConstraint(
            model_name='notice',
            constraint=models.UniqueConstraint(fields=('request', 'occasion', 'publication'), name='a_publication_is_told_once_of_a_case'),
        ),
        migrations.AddConstraint(
            model_name='notice',
            constraint=models.UniqueConstraint(fields=('request', 'occasion', 'deployment'), name='a_deployment_is_told_once_of_a_case'),
        ),
        migrations.AddConstraint(
            model_name='versionexception',
            constraint=models.UniqueConstraint(fields=('request', 'version'), name='a_version_is_excepted_once_in_a_case'),
        ),
        migrations.AddConstraint(
            model_name='versionexception',
            constraint=models.CheckConstraint(condition=models.Q(('approved_by', None), ('proposed_by', None), models.Q(('approved_by', models.F('proposed_by')), _negated=True), _connector='OR'), name='nobody_approves_their_own_exception'),
        ),
    ]
