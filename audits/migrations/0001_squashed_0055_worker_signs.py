"""The tables of 0001 to 0055 in one step, for a database that has none of them.

One that has some takes the steps that it lacks (docs/adr/0071-new-databases-take-the-short-way.md).
Left out is what those steps did to rows, as there are none: clocks and kinds of cases, letters that
were sent, sealed identities, subtrees of the log.
"""

from importlib import import_module

import audits.models.case_secrets
import datetime
import django.db.models.deletion
import uuid
from django.conf import settings
from django.db import migrations, models

from lineage.migrations._new_tables import CreateModels

append_only = import_module("audits.migrations.0002_append_only")
# The first of them knows the triggers of 0002 as well, and drops what all of them call.
PROTECTED = [
    import_module(f"audits.migrations.{name}")
    for name in (
        "0011_evidence_of_a_case",
        "0012_procedure_certificates",
        "0022_letters",
        "0040_stored_policy",
    )
]


def forbid(apps, schema_editor):
    """Create the triggers."""
    for one in PROTECTED:
        one.forbid(apps, schema_editor)


def allow(apps, schema_editor):
    """Drop the triggers, unless the steps that are replaced would refuse."""
    PROTECTED[0].refuse_several(apps, schema_editor)
    for one in reversed(PROTECTED):
        one.allow(apps, schema_editor)


class Migration(migrations.Migration):

    replaces = [
        ('audits', '0001_initial'),
        ('audits', '0002_append_only'),
        ('audits', '0003_letter_is_claimed'),
        ('audits', '0004_linked_cases'),
        ('audits', '0005_release_rules'),
        ('audits', '0006_operator_cases'),
        ('audits', '0009_agreed_duplicates'),
        ('audits', '0011_evidence_of_a_case'),
        ('audits', '0012_procedure_certificates'),
        ('audits', '0013_kinds_and_roles'),
        ('audits', '0014_canary_evidence'),
        ('audits', '0016_profiles_of_difficulty'),
        ('audits', '0017_legal_clock'),
        ('audits', '0018_intake'),
        ('audits', '0019_name_kinds'),
        ('audits', '0020_decisions_and_holds'),
        ('audits', '0021_location_results'),
        ('audits', '0022_letters'),
        ('audits', '0023_registers'),
        ('audits', '0024_sealed_identity'),
        ('audits', '0025_case_retention'),
        ('audits', '0030_log_subtrees'),
        ('audits', '0032_notices_and_suppliers'),
        ('audits', '0035_checkpoint_anchors'),
        ('audits', '0036_registers_of_rules'),
        ('audits', '0038_log_leaf_type'),
        ('audits', '0039_plan_previews'),
        ('audits', '0040_stored_policy'),
        ('audits', '0041_restriction_erased'),
        ('audits', '0042_case_page'),
        ('audits', '0046_webhooks'),
        ('audits', '0047_queries_of_served_models'),
        ('audits', '0049_queries_of_versions'),
        ('audits', '0051_sign_in'),
        ('audits', '0052_sweep_marks'),
        ('audits', '0053_place_of_the_sweep'),
        ('audits', '0054_model_owners'),
        ('audits', '0055_worker_signs'),
    ]

    initial = True

    dependencies = [
        ('lineage', '0040_api_keys_and_calls'),
        ('unlearning', '0008_privacy'),
        ('sessions', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ('auth', '0012_alter_user_first_name_max_length'),
    ]

    operations = [
        CreateModels([
            migrations.CreateModel(
                name='LogCheckpoint',
                fields=[
                    ('size', models.BigIntegerField(primary_key=True, serialize=False)),
                    ('root', models.BinaryField(max_length=32)),
                    ('note', models.TextField()),
                    ('created_at', models.DateTimeField()),
                ],
            ),
            migrations.CreateModel(
                name='LogHead',
                fields=[
                    ('id', models.IntegerField(default=1, primary_key=True, serialize=False)),
                    ('size', models.BigIntegerField(default=0)),
                    ('frontier', models.BinaryField(default=bytes)),
                ],
            ),
            migrations.CreateModel(
                name='LogLeaf',
                fields=[
                    ('index', models.BigIntegerField(primary_key=True, serialize=False)),
                    ('data', models.BinaryField()),
                    ('leaf_hash', models.BinaryField(max_length=32)),
                    ('case_id', models.UUIDField(db_index=True, null=True)),
                    ('once', models.CharField(max_length=200, null=True, unique=True)),
                    ('type', models.CharField(max_length=64)),
                    ('at', models.DateTimeField()),
                    ('nodes', models.BinaryField(default=bytes)),
                ],
                options={
                    'ordering': ['index'],
                    'indexes': [models.Index(fields=['type', 'index'], name='log_leaf_type')],
                },
            ),
            migrations.CreateModel(
                name='ErasureRequest',
                fields=[
                    ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                    ('reference', models.CharField(max_length=16, unique=True)),
                    ('status', models.CharField(choices=[('RECEIVED', 'Received'), ('VERIFIED', 'Identity confirmed'), ('ACCEPTED', 'Accepted'), ('RESTRICTED', 'Data restricted'), ('PLANNED', 'Planned'), ('UNLEARNING', 'Unlearning'), ('AUDITING', 'Auditing'), ('ERASED', 'Erased'), ('SEALED', 'Sealed'), ('REFUSED', 'Refused'), ('WITHDRAWN', 'Withdrawn'), ('ON_HOLD', 'On hold'), ('FAILED', 'Needs attention'), ('DRAFT', 'Forget set being chosen'), ('PROPOSED', 'Waiting for approval'), ('APPROVED', 'Approved'), ('INFO_ASKED', 'Waiting for the person'), ('EXPIRED', 'Not confirmed in time')], default='RECEIVED', max_length=16)),
                    ('held_from', models.CharField(blank=True, max_length=16)),
                    ('outcome', models.CharField(blank=True, choices=[('', 'Open'), ('ERASED', 'Erased'), ('NO_DATA_FOUND', 'No data found'), ('REFUSED', 'Refused'), ('WITHDRAWN', 'Withdrawn'), ('JOINED', 'Joined to an earlier case'), ('REMOVED', 'Removed from training'), ('EXPIRED', 'Not confirmed in time'), ('NOT_IDENTIFIED', 'Person not identified'), ('RESTRICTION_LIFTED', 'Restriction ended'), ('RESTRICTION_ERASED', 'Restricted data erased')], default='', max_length=32)),
                    ('channel', models.CharField(default='FORM', max_length=16)),
                    ('ground', models.CharField(blank=True, choices=[('', 'Not yet recorded'), ('ART_17_1_A', 'No longer necessary (17(1)(a))'), ('ART_17_1_B', 'Consent withdrawn (17(1)(b))'), ('ART_17_1_C', 'Objection (17(1)(c))'), ('ART_17_1_D', 'Unlawful processing (17(1)(d))'), ('ART_17_1_E', 'Legal obligation (17(1)(e))'), ('ART_17_1_F', 'Information society service to a child (17(1)(f))')], default='', max_length=16)),
                    ('refusal_code', models.CharField(blank=True, max_length=64)),
                    ('confirm_digest', models.CharField(blank=True, max_length=64)),
                    ('status_digest', models.CharField(max_length=64, unique=True)),
                    ('received_at', models.DateTimeField()),
                    ('due_on', models.DateField(blank=True, null=True)),
                    ('due_rule', models.CharField(max_length=64)),
                    ('verified_at', models.DateTimeField(blank=True, null=True)),
                    ('accepted_at', models.DateTimeField(blank=True, null=True)),
                    ('erased_at', models.DateTimeField(blank=True, null=True)),
                    ('sealed_at', models.DateTimeField(blank=True, null=True)),
                    ('failure_code', models.CharField(blank=True, max_length=64)),
                    ('failure', models.TextField(blank=True)),
                    ('failed_from', models.CharField(blank=True, max_length=16)),
                    ('policy', models.JSONField(blank=True, default=dict)),
                    ('plan', models.JSONField(blank=True, default=dict)),
                    ('plan_digest', models.CharField(blank=True, max_length=64)),
                    ('accepted_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('joined_to', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to='audits.erasurerequest')),
                    ('runs', models.ManyToManyField(blank=True, related_name='requests', to='unlearning.unlearningrun')),
                    ('subject', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='requests', to='lineage.datasubject')),
                    ('linked_to', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='linked_cases', to='audits.erasurerequest')),
                    ('batch', models.UUIDField(blank=True, db_index=True, null=True)),
                    ('kind', models.CharField(choices=[('ERASURE', 'Erasure (Art. 17)'), ('CONSENT', 'Withdrawal of consent (Art. 7(3))'), ('OBJECTION', 'Objection (Art. 21)'), ('RESTRICTION', 'Restriction (Art. 18)'), ('SEEN_IN_OUTPUT', 'Own data seen in an output'), ('OPERATOR', 'Started by the operator')], default='ERASURE', max_length=16)),
                    ('locale', models.CharField(default='en', max_length=8)),
                    ('email', audits.models.case_secrets.SealedText(blank=True, default=bytes)),
                ],
                options={
                    'indexes': [models.Index(fields=['status'], name='request_status')],
                    'permissions': [('read_cases', 'May read cases'), ('enter_request', 'May enter requests that came by post, telephone or in person'), ('handle_case', 'May handle cases and propose decisions'), ('review_decision', 'May approve what somebody else proposed'), ('operate_models', 'May decide about models and their versions'), ('keep_registers', 'May keep the registers of places, backups, recipients and legal holds'), ('administer_site', 'May change the policy, the letters and who may do what')],
                },
            ),
            migrations.CreateModel(
                name='DuplicateFinding',
                fields=[
                    ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                    ('forget_ordinal', models.BigIntegerField()),
                    ('other_ordinal', models.BigIntegerField()),
                    ('kind', models.CharField(choices=[('EXACT', 'Same content'), ('NEAR', 'Nearly the same content')], max_length=8)),
                    ('distance', models.FloatField()),
                    ('decision', models.CharField(blank=True, choices=[('', 'To be decided'), ('KEEP', 'Keep'), ('ERASE', 'Erase too')], default='', max_length=8)),
                    ('decided_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('space', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='lineage.ordinalspace')),
                    ('request', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='duplicates', to='audits.erasurerequest')),
                    ('proposed_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('request', 'space', 'forget_ordinal', 'other_ordinal'), name='a_duplicate_is_found_once_per_case'), models.CheckConstraint(condition=models.Q(models.Q(('decision', 'ERASE'), _negated=True), ('proposed_by', None), ('decided_by', None), models.Q(('decided_by', models.F('proposed_by')), _negated=True), _connector='OR'), name='two_take_a_duplicate_out_of_an_operators_case')],
                },
            ),
            migrations.CreateModel(
                name='ComplianceRecord',
                fields=[
                    ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                    ('outcome', models.CharField(max_length=32)),
                    ('data', models.BinaryField()),
                    ('sha256', models.CharField(max_length=64, unique=True)),
                    ('seal_index', models.BigIntegerField(unique=True)),
                    ('created_at', models.DateTimeField()),
                    ('request', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='record', to='audits.erasurerequest')),
                ],
            ),
            migrations.CreateModel(
                name='Evidence',
                fields=[
                    ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                    ('kind', models.CharField(choices=[('U_LIRA', 'U-LiRA'), ('POPULATION', 'Population MIA'), ('CONSTRUCTION', 'Construction (lineage and replay)'), ('RELEASE', 'Release gate (accuracy before and after)'), ('CANARIES', 'Canaries (planted before training)')], max_length=16)),
                    ('look', models.IntegerField(default=0)),
                    ('models_per_arm', models.IntegerField(default=0)),
                    ('payload', models.JSONField()),
                    ('digest', models.CharField(max_length=64)),
                    ('created_at', models.DateTimeField()),
                    ('plot', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='lineage.artefact')),
                    ('run', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='evidence', to='unlearning.unlearningrun')),
                    ('request', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='audits.erasurerequest')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('run', 'kind', 'look', 'request'), name='a_look_is_taken_once_per_run_kind_and_case'), models.UniqueConstraint(condition=models.Q(('request', None)), fields=('run', 'kind', 'look'), name='a_look_about_a_whole_run_is_taken_once')],
                },
            ),
            migrations.CreateModel(
                name='Letter',
                fields=[
                    ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                    ('code', models.CharField(max_length=32)),
                    ('digest', models.CharField(blank=True, max_length=64)),
                    ('created_at', models.DateTimeField()),
                    ('sent_at', models.DateTimeField(blank=True, null=True)),
                    ('error', models.TextField(blank=True)),
                    ('request', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='letters', to='audits.erasurerequest')),
                    ('claimed_at', models.DateTimeField(blank=True, null=True)),
                    ('asked', models.CharField(blank=True, max_length=64)),
                    ('attempts', models.PositiveIntegerField(default=0)),
                    ('content', models.BinaryField(default=bytes)),
                    ('locale', models.CharField(default='en', max_length=8)),
                    ('next_try_at', models.DateTimeField(blank=True, null=True)),
                    ('number', models.PositiveIntegerField(default=1)),
                    ('posted_on', models.DateField(blank=True, null=True)),
                    ('state', models.CharField(choices=[('WAITING', 'Waiting to be sent'), ('SENT', 'Sent'), ('FAILED', 'Could not be sent'), ('DROPPED', 'No longer needed'), ('TO_POST', 'To be posted'), ('POSTED', 'Posted')], default='WAITING', max_length=8)),
                    ('version', models.PositiveIntegerField(default=0)),
                ],
                options={
                    'indexes': [models.Index(fields=['state', 'next_try_at'], name='letter_next_try')],
                    'constraints': [models.UniqueConstraint(fields=('request', 'code', 'number'), name='a_letter_is_written_once_per_case_and_number')],
                },
            ),
            migrations.CreateModel(
                name='ShadowResult',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('index', models.IntegerField()),
                    ('row', models.JSONField()),
                    ('created_at', models.DateTimeField()),
                    ('run', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='shadow_results', to='unlearning.unlearningrun')),
                    ('version', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='lineage.modelversion')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('run', 'index'), name='a_shadow_is_trained_once')],
                },
            ),
            migrations.CreateModel(
                name='Verdict',
                fields=[
                    ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                    ('outcome', models.CharField(max_length=32)),
                    ('reasons', models.JSONField(default=list)),
                    ('final', models.BooleanField()),
                    ('created_at', models.DateTimeField()),
                    ('evidence', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='verdict', to='audits.evidence')),
                    ('run', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='verdicts', to='unlearning.unlearningrun')),
                ],
            ),
            migrations.CreateModel(
                name='Release',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('state', models.CharField(choices=[('HELD', 'Held'), ('RELEASED', 'Released'), ('PASSED_OVER', 'Passed over')], max_length=16)),
                    ('reason', models.TextField()),
                    ('created_at', models.DateTimeField()),
                    ('released_at', models.DateTimeField(blank=True, null=True)),
                    ('decided_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('run', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='release', to='unlearning.unlearningrun')),
                ],
            ),
            migrations.CreateModel(
                name='Reading',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('reader', models.CharField(max_length=200)),
                    ('since', models.DateTimeField()),
                    ('version', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='readings', to='lineage.modelversion')),
                    ('followed', models.BooleanField(default=False)),
                    ('gone_at', models.DateTimeField(blank=True, null=True)),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('reader', 'version'), name='a_reader_is_noted_once_per_version')],
                },
            ),
            migrations.CreateModel(
                name='OperatorCase',
                fields=[
                    ('request', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='operator_case', serialize=False, to='audits.erasurerequest')),
                    ('reason', models.CharField(choices=[('POISONED', 'Poisoned records'), ('MISLABELLED', 'Mislabelled records'), ('EXPIRED_CONSENT', 'Consent has expired')], max_length=16)),
                    ('disposal', models.CharField(choices=[('KEEP', 'Keep them apart, out of every training'), ('DELETE', 'Delete them')], default='KEEP', max_length=8)),
                    ('seeds', models.BinaryField()),
                    ('chosen', models.BinaryField()),
                    ('finding', models.JSONField(blank=True, default=dict)),
                    ('note', models.TextField(blank=True)),
                    ('approved_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('authors', models.ManyToManyField(related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('proposed_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('space', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='lineage.ordinalspace')),
                    ('version', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='lineage.modelversion')),
                    ('gone_seeds', models.PositiveIntegerField(default=0)),
                ],
                options={
                    'constraints': [models.CheckConstraint(condition=models.Q(('proposed_by', None), ('approved_by', None), models.Q(('approved_by', models.F('proposed_by')), _negated=True), _connector='OR'), name='whoever_proposed_a_forget_set_does_not_approve_it')],
                },
            ),
            migrations.CreateModel(
                name='ScoredRecord',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('ordinal', models.BigIntegerField()),
                    ('score', models.FloatField()),
                    ('cluster', models.IntegerField()),
                    ('case', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='scored', to='audits.operatorcase')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('case', 'ordinal'), name='a_record_is_scored_once_per_case')],
                },
            ),
            migrations.CreateModel(
                name='OwedToOthers',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('run', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='unlearning.unlearningrun')),
                    ('subject', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='lineage.datasubject')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('subject', 'run'), name='a_run_owes_something_to_a_person_once')],
                },
            ),
            migrations.CreateModel(
                name='ProcedureCertificate',
                fields=[
                    ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                    ('key', models.CharField(db_index=True, max_length=64)),
                    ('fields', models.JSONField()),
                    ('difficulty', models.SmallIntegerField()),
                    ('outcome', models.CharField(max_length=32)),
                    ('kept', models.JSONField()),
                    ('policy', models.JSONField()),
                    ('evidence_digest', models.CharField(max_length=64)),
                    ('attempt', models.IntegerField(default=1)),
                    ('digest', models.CharField(max_length=64)),
                    ('issued_at', models.DateTimeField()),
                    ('expires_at', models.DateTimeField()),
                    ('evidence', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='certificate', to='audits.evidence')),
                    ('profile', models.JSONField(blank=True, null=True)),
                ],
            ),
            migrations.CreateModel(
                name='AuditPlan',
                fields=[
                    ('run', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='audit_plan', serialize=False, to='unlearning.unlearningrun')),
                    ('design', models.JSONField()),
                    ('design_digest', models.CharField(max_length=64)),
                    ('policy', models.JSONField()),
                    ('policy_digest', models.CharField(max_length=64)),
                    ('fixed_at', models.DateTimeField()),
                    ('difficulty', models.SmallIntegerField(blank=True, null=True)),
                    ('no_certificate', models.TextField(blank=True)),
                    ('procedure', models.JSONField(blank=True, default=dict)),
                    ('procedure_key', models.CharField(blank=True, db_index=True, max_length=64)),
                    ('certificate', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='plans', to='audits.procedurecertificate')),
                    ('profile', models.JSONField(blank=True, null=True)),
                ],
            ),
            migrations.CreateModel(
                name='CaseClock',
                fields=[
                    ('request', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='clock', serialize=False, to='audits.erasurerequest')),
                    ('received_at', models.DateTimeField()),
                    ('received_on', models.DateField()),
                    ('zone', models.CharField(max_length=64)),
                    ('regime', models.CharField(max_length=16)),
                    ('rule', models.CharField(max_length=64)),
                    ('calendar', models.CharField(max_length=64)),
                    ('calendar_version', models.CharField(max_length=64)),
                    ('raw', models.DateField()),
                    ('due_on', models.DateField()),
                    ('skipped', models.JSONField(blank=True, default=list)),
                    ('extended_raw', models.DateField(blank=True, null=True)),
                    ('extended_due_on', models.DateField(blank=True, null=True)),
                    ('extended_skipped', models.JSONField(blank=True, default=list)),
                    ('acknowledge_on', models.DateField(blank=True, null=True)),
                    ('paused_due_on', models.DateField(blank=True, null=True)),
                    ('paused_extended_due_on', models.DateField(blank=True, null=True)),
                    ('backfilled', models.BooleanField(default=False)),
                    ('stage', models.CharField(blank=True, max_length=16)),
                    ('stage_due', models.DateField(blank=True, null=True)),
                    ('digest_at', models.DateTimeField(blank=True, null=True)),
                ],
                options={
                    'constraints': [models.CheckConstraint(condition=models.Q(('due_on__gte', models.F('raw'))), name='an_answer_is_never_due_before_the_limit_that_was_counted')],
                },
            ),
            migrations.CreateModel(
                name='ClockPause',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('reason', models.CharField(max_length=16)),
                    ('since', models.DateTimeField()),
                    ('until', models.DateTimeField(blank=True, null=True)),
                    ('request', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='clock_pauses', to='audits.erasurerequest')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(condition=models.Q(('until', None)), fields=('request',), name='a_clock_is_paused_once_at_a_time'), models.CheckConstraint(condition=models.Q(('until', None), ('until__gte', models.F('since')), _connector='OR'), name='a_pause_ends_after_it_began')],
                },
            ),
            migrations.CreateModel(
                name='ExtensionDecision',
                fields=[
                    ('request', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='extension', serialize=False, to='audits.erasurerequest')),
                    ('reason_code', models.CharField(choices=[('COMPLEXITY', 'The request is complex'), ('NUMBER', 'There are many requests')], max_length=16)),
                    ('reason_text', models.TextField()),
                    ('decided_at', models.DateTimeField()),
                    ('new_due', models.DateField()),
                    ('notice_sent_at', models.DateTimeField(blank=True, null=True)),
                    ('lapsed_at', models.DateTimeField(blank=True, null=True)),
                    ('decided_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'constraints': [models.CheckConstraint(condition=models.Q(('notice_sent_at', None), ('lapsed_at', None), _connector='OR'), name='an_extension_is_told_of_or_lapses')],
                },
            ),
            migrations.CreateModel(
                name='PersonalDetails',
                fields=[
                    ('request', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='details', serialize=False, to='audits.erasurerequest')),
                    ('description', audits.models.case_secrets.SealedText(blank=True, default=bytes)),
                    ('model_name', audits.models.case_secrets.SealedText(blank=True, default=bytes)),
                    ('identifiers', audits.models.case_secrets.SealedList(blank=True, default=bytes)),
                    ('postal_address', audits.models.case_secrets.SealedText(blank=True, default=bytes)),
                    ('agent_name', audits.models.case_secrets.SealedText(blank=True, default=bytes)),
                    ('agent_contact', audits.models.case_secrets.SealedText(blank=True, default=bytes)),
                ],
            ),
            migrations.CreateModel(
                name='IdentityCheck',
                fields=[
                    ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                    ('doubt', models.CharField(blank=True, max_length=32)),
                    ('asked_at', models.DateTimeField(blank=True, null=True)),
                    ('asked_from', models.CharField(blank=True, max_length=16)),
                    ('received_at', models.DateTimeField(blank=True, null=True)),
                    ('method', models.CharField(blank=True, max_length=32)),
                    ('level', models.CharField(blank=True, max_length=16)),
                    ('checked_at', models.DateTimeField(blank=True, null=True)),
                    ('proof_destroyed_at', models.DateTimeField(blank=True, null=True)),
                    ('checked_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('request', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='identity_checks', to='audits.erasurerequest')),
                ],
            ),
            migrations.CreateModel(
                name='Intake',
                fields=[
                    ('request', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='intake', serialize=False, to='audits.erasurerequest')),
                    ('source', models.CharField(choices=[('STAFF', 'Entered by staff'), ('API', 'Sent by another system')], max_length=8)),
                    ('entered_at', models.DateTimeField()),
                    ('key_name', models.CharField(blank=True, max_length=200)),
                    ('idempotency', models.CharField(max_length=64, null=True, unique=True)),
                    ('content', models.CharField(blank=True, max_length=64)),
                    ('answer_by', models.CharField(choices=[('EMAIL', 'By e-mail'), ('LETTER', 'By letter')], default='EMAIL', max_length=8)),
                    ('answer_by_asked', models.BooleanField(default=False)),
                    ('by_agent', models.BooleanField(default=False)),
                    ('mandate_seen', models.BooleanField(default=False)),
                    ('mandate_digest', models.CharField(blank=True, max_length=64)),
                    ('answer_to_agent', models.BooleanField(default=False)),
                    ('entered_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
            ),
            migrations.CreateModel(
                name='ProcessingStop',
                fields=[
                    ('request', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='stop', serialize=False, to='audits.erasurerequest')),
                    ('stopped_at', models.DateTimeField(blank=True, null=True)),
                    ('objection', models.CharField(blank=True, choices=[('', 'No objection'), ('INTERESTS', 'Processing for legitimate interests or a public task'), ('MARKETING', 'Direct marketing')], max_length=16)),
                    ('balance', models.CharField(blank=True, choices=[('', 'Not decided'), ('UPHELD', 'Objection upheld'), ('OVERRULED', 'Compelling grounds override it')], max_length=16)),
                    ('balance_text', models.TextField(blank=True)),
                    ('balanced_at', models.DateTimeField(blank=True, null=True)),
                    ('lift_reason', models.TextField(blank=True)),
                    ('lift_on', models.DateField(blank=True, null=True)),
                    ('notice_at', models.DateTimeField(blank=True, null=True)),
                    ('lifted_at', models.DateTimeField(blank=True, null=True)),
                    ('balanced_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'constraints': [models.CheckConstraint(condition=models.Q(('lifted_at', None), ('notice_at__isnull', False), _connector='OR'), name='a_restriction_is_lifted_after_notice')],
                },
            ),
            migrations.CreateModel(
                name='Decision',
                fields=[
                    ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                    ('kind', models.CharField(choices=[('ACCEPT', 'Accept'), ('REFUSE', 'Refuse')], max_length=8)),
                    ('state', models.CharField(choices=[('PROPOSED', 'Waiting for a second person'), ('APPROVED', 'Approved'), ('RETURNED', 'Sent back')], default='PROPOSED', max_length=8)),
                    ('refusal_code', models.CharField(blank=True, choices=[('ART_17_3_A', 'Freedom of expression and information (17(3)(a))'), ('ART_17_3_B', 'Legal obligation or public interest (17(3)(b))'), ('ART_17_3_C', 'Public health (17(3)(c))'), ('ART_17_3_D', 'Archiving, research or statistics (17(3)(d))'), ('ART_17_3_E', 'Legal claims (17(3)(e))'), ('ART_12_5_B', 'Manifestly unfounded or excessive (12(5)(b))'), ('ART_21_1', 'Compelling legitimate grounds override the objection (21(1))')], max_length=16)),
                    ('assessment', models.TextField(blank=True)),
                    ('evidence', models.TextField(blank=True)),
                    ('legal_position_note', models.TextField(blank=True)),
                    ('proposed_at', models.DateTimeField()),
                    ('approved_at', models.DateTimeField(blank=True, null=True)),
                    ('return_note', models.TextField(blank=True)),
                    ('approved_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('proposed_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('request', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='decisions', to='audits.erasurerequest')),
                    ('returned_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'constraints': [models.CheckConstraint(condition=models.Q(('proposed_by', None), ('approved_by', None), models.Q(('approved_by', models.F('proposed_by')), _negated=True), _connector='OR'), name='whoever_proposed_a_decision_does_not_approve_it'), models.CheckConstraint(condition=models.Q(models.Q(('refusal_code', 'ART_12_5_B'), _negated=True), models.Q(('evidence', ''), _negated=True), _connector='OR'), name='unfounded_is_said_with_evidence'), models.UniqueConstraint(condition=models.Q(('state', 'PROPOSED')), fields=('request',), name='a_case_has_one_proposal_at_a_time')],
                },
            ),
            migrations.CreateModel(
                name='GroundFinding',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('code', models.CharField(choices=[('', 'Not yet recorded'), ('ART_17_1_A', 'No longer necessary (17(1)(a))'), ('ART_17_1_B', 'Consent withdrawn (17(1)(b))'), ('ART_17_1_C', 'Objection (17(1)(c))'), ('ART_17_1_D', 'Unlawful processing (17(1)(d))'), ('ART_17_1_E', 'Legal obligation (17(1)(e))'), ('ART_17_1_F', 'Information society service to a child (17(1)(f))')], max_length=16)),
                    ('purpose', models.CharField(max_length=200)),
                    ('assessment', models.TextField()),
                    ('other_ground', models.TextField(blank=True)),
                    ('decision', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='grounds', to='audits.decision')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('decision', 'code', 'purpose'), name='a_ground_is_found_once_per_purpose')],
                },
            ),
            migrations.CreateModel(
                name='LegalHold',
                fields=[
                    ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                    ('kind', models.CharField(choices=[('EMAIL', 'The person with an e-mail address'), ('EXTERNAL', 'The person with an identifier of the source'), ('DATASET', 'A data set')], max_length=8)),
                    ('digest', models.CharField(blank=True, db_index=True, max_length=64)),
                    ('basis', models.TextField()),
                    ('review_on', models.DateField()),
                    ('placed_at', models.DateTimeField()),
                    ('released_at', models.DateTimeField(blank=True, null=True)),
                    ('dataset', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='lineage.dataset')),
                    ('placed_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('released_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('dataset__isnull', False), ('digest', ''), ('kind', 'DATASET')), models.Q(('dataset', None), ('kind__in', ['EMAIL', 'EXTERNAL']), models.Q(('digest', ''), _negated=True)), _connector='OR'), name='a_hold_is_on_a_person_or_a_data_set')],
                },
            ),
            migrations.CreateModel(
                name='LocationException',
                fields=[
                    ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                    ('place', models.CharField(blank=True, max_length=100)),
                    ('code', models.CharField(choices=[('ART_17_3_A', 'Freedom of expression and information (17(3)(a))'), ('ART_17_3_B', 'Legal obligation or public interest (17(3)(b))'), ('ART_17_3_C', 'Public health (17(3)(c))'), ('ART_17_3_D', 'Archiving, research or statistics (17(3)(d))'), ('ART_17_3_E', 'Legal claims (17(3)(e))')], max_length=16)),
                    ('basis', models.TextField()),
                    ('scope', models.TextField()),
                    ('until', models.DateField()),
                    ('ended_at', models.DateTimeField(blank=True, null=True)),
                    ('dataset', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='lineage.dataset')),
                    ('decision', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='exceptions', to='audits.decision')),
                    ('followed_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='audits.erasurerequest')),
                    ('reviewer', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('dataset', None), models.Q(('place', ''), _negated=True)), models.Q(models.Q(('dataset', None), _negated=True), ('place', '')), _connector='OR'), name='an_exception_names_a_data_set_or_a_place'), models.CheckConstraint(condition=models.Q(('code__in', ['ART_17_3_A', 'ART_17_3_B', 'ART_17_3_C', 'ART_17_3_D', 'ART_17_3_E'])), name='an_exception_is_one_of_the_law')],
                },
            ),
            migrations.CreateModel(
                name='LocationResult',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('result', models.CharField(blank=True, choices=[('', 'At work'), ('DELETED', 'Deleted and read back'), ('MASKED', 'Masked: rows remain without the person'), ('RESTRICTED', 'Kept by decision, restricted'), ('NONE_FOUND', 'Searched, nothing found'), ('REMAINS', 'Something remains'), ('NOT_REACHABLE', 'Not reachable')], default='', max_length=16)),
                    ('found', models.PositiveIntegerField(default=0)),
                    ('remaining', models.PositiveIntegerField(default=0)),
                    ('erased_at', models.DateTimeField(blank=True, null=True)),
                    ('verified_at', models.DateTimeField(blank=True, null=True)),
                    ('reason', models.CharField(blank=True, max_length=300)),
                    ('case', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='location_results', to='audits.erasurerequest')),
                    ('location', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='lineage.location')),
                ],
                options={
                    'ordering': ['location__slug'],
                    'constraints': [models.UniqueConstraint(fields=('case', 'location'), name='a_case_has_one_result_per_location'), models.CheckConstraint(condition=models.Q(models.Q(('result', 'DELETED'), _negated=True), models.Q(('remaining', 0), ('verified_at__isnull', False)), _connector='OR'), name='what_is_deleted_was_read_back_as_gone')],
                },
            ),
            migrations.CreateModel(
                name='AnswerRoute',
                fields=[
                    ('request', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='answer_route', serialize=False, to='audits.erasurerequest')),
                    ('way', models.CharField(choices=[('EMAIL', 'By e-mail'), ('POST', 'By post')], max_length=8)),
                    ('requested', models.BooleanField(default=False)),
                    ('address', models.BinaryField(default=bytes)),
                    ('set_at', models.DateTimeField()),
                ],
            ),
            migrations.CreateModel(
                name='LetterTemplate',
                fields=[
                    ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                    ('code', models.CharField(max_length=32)),
                    ('locale', models.CharField(max_length=8)),
                    ('version', models.PositiveIntegerField()),
                    ('builtin', models.BooleanField(default=False)),
                    ('subject', models.CharField(blank=True, max_length=200)),
                    ('blocks', models.JSONField(blank=True, default=dict)),
                    ('digest', models.CharField(max_length=64)),
                    ('created_at', models.DateTimeField()),
                    ('active_from', models.DateTimeField()),
                    ('created_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('code', 'locale', 'version'), name='a_version_of_a_letter_is_written_once')],
                },
            ),
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
                    ('locale', models.CharField(blank=True, choices=[('en', 'English'), ('fr', 'Français'), ('de', 'Deutsch')], max_length=8, verbose_name='language')),
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
                    ('locale', models.CharField(blank=True, choices=[('en', 'English'), ('fr', 'Français'), ('de', 'Deutsch')], max_length=8, verbose_name='language')),
                ],
                options={
                    'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('role', 'PROCESSOR'), _negated=True), models.Q(('contract_ref', ''), _negated=True), _connector='OR'), name='a_processor_has_a_contract', violation_error_message='Name the contract of a processor (Art. 28(3)).')],
                },
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
                    ('error', models.CharField(blank=True, max_length=300)),
                    ('digest', models.CharField(blank=True, max_length=64)),
                    ('sent_at', models.DateTimeField(blank=True, null=True)),
                    ('ack_at', models.DateTimeField(blank=True, null=True)),
                    ('reason', models.TextField(blank=True)),
                    ('decided_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('deployment', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='notices', to='lineage.deployment')),
                    ('request', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='notices', to='audits.erasurerequest')),
                    ('publication', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='notices', to='audits.publication')),
                    ('recipient', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='notices', to='audits.recipient')),
                    ('locale', models.CharField(blank=True, max_length=8)),
                    ('text', models.TextField(blank=True)),
                    ('text_version', models.PositiveIntegerField(default=0)),
                ],
                options={
                    'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('deployment', None), ('publication', None), ('recipient__isnull', False)), models.Q(('deployment', None), ('publication__isnull', False), ('recipient', None)), models.Q(('deployment__isnull', False), ('publication', None), ('recipient', None)), _connector='OR'), name='a_notice_goes_to_exactly_one'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'ACKNOWLEDGED'), _negated=True), ('ack_at__isnull', False), _connector='OR'), name='what_is_acknowledged_has_a_moment'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'NOT_POSSIBLE'), _negated=True), models.Q(('reason', ''), _negated=True), _connector='OR'), name='what_is_not_possible_has_a_reason'), models.UniqueConstraint(fields=('request', 'occasion', 'recipient'), name='a_recipient_is_told_once_of_a_case'), models.UniqueConstraint(fields=('request', 'occasion', 'publication'), name='a_publication_is_told_once_of_a_case'), models.UniqueConstraint(fields=('request', 'occasion', 'deployment'), name='a_deployment_is_told_once_of_a_case')],
                },
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
                options={
                    'constraints': [models.UniqueConstraint(fields=('request', 'version'), name='a_version_is_excepted_once_in_a_case'), models.CheckConstraint(condition=models.Q(('approved_by', None), ('proposed_by', None), models.Q(('approved_by', models.F('proposed_by')), _negated=True), _connector='OR'), name='nobody_approves_their_own_exception')],
                },
            ),
            migrations.CreateModel(
                name='CaseRetention',
                fields=[
                    ('request', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='retention', serialize=False, to='audits.erasurerequest')),
                    ('closed_on', models.DateField()),
                    ('days', models.PositiveIntegerField()),
                    ('until', models.DateField(db_index=True)),
                    ('longer_until', models.DateField(blank=True, null=True)),
                    ('longer_reason', models.CharField(blank=True, choices=[('COMPLAINT', 'Complaint to a supervisory authority'), ('COURT', 'Proceedings before a court'), ('AUTHORITY', 'An authority asked for it')], max_length=16)),
                    ('person', models.BinaryField(default=bytes)),
                    ('key_destroyed_at', models.DateTimeField(blank=True, null=True)),
                    ('longer_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('longer_reason', ''), ('longer_until', None)), models.Q(('longer_until__gt', models.F('until')), models.Q(('longer_reason', ''), _negated=True)), _connector='OR'), name='a_case_is_kept_longer_for_a_reason')],
                },
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
            migrations.CreateModel(
                name='PlanPreview',
                fields=[
                    ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                    ('by', models.CharField(choices=[('PERSON', 'A person'), ('RECORDS', 'Certain records'), ('NUMBER', 'A number of records')], max_length=8)),
                    ('records', models.BigIntegerField()),
                    ('forget', models.JSONField(blank=True, default=dict)),
                    ('result', models.JSONField(blank=True, default=dict)),
                    ('created_at', models.DateTimeField(db_index=True)),
                    ('ended_at', models.DateTimeField(blank=True, null=True)),
                    ('asked_by', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('version', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='lineage.modelversion')),
                ],
            ),
            migrations.CreateModel(
                name='PolicyChange',
                fields=[
                    ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                    ('number', models.PositiveIntegerField(unique=True)),
                    ('state', models.CharField(choices=[('PROPOSED', 'Waits for a second person'), ('APPROVED', 'Approved'), ('RETURNED', 'Sent back'), ('WITHDRAWN', 'Withdrawn')], default='PROPOSED', max_length=16)),
                    ('version', models.PositiveIntegerField(blank=True, null=True, unique=True)),
                    ('based_on', models.PositiveIntegerField(default=0)),
                    ('changes', models.JSONField()),
                    ('stored', models.JSONField()),
                    ('digest', models.CharField(max_length=64)),
                    ('reason', models.TextField()),
                    ('proposed_at', models.DateTimeField()),
                    ('decided_at', models.DateTimeField(blank=True, null=True)),
                    ('note', models.TextField(blank=True, verbose_name='what has to change')),
                    ('decided_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('proposed_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'ordering': ['-number'],
                    'constraints': [models.UniqueConstraint(condition=models.Q(('state', 'PROPOSED')), fields=('state',), name='one_policy_change_waits_at_a_time'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'APPROVED'), _negated=True), models.Q(('decided_by', models.F('proposed_by')), _negated=True), _connector='OR'), name='a_policy_change_is_approved_by_somebody_else'), models.CheckConstraint(condition=models.Q(models.Q(('decided_by__isnull', False), ('state', 'APPROVED'), ('version__isnull', False)), models.Q(models.Q(('state', 'APPROVED'), _negated=True), ('version__isnull', True)), _connector='OR'), name='a_version_of_the_policy_is_approved')],
                },
            ),
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
            migrations.CreateModel(
                name='Webhook',
                fields=[
                    ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                    ('name', models.SlugField(max_length=64, unique=True)),
                    ('url', models.CharField(max_length=1000)),
                    ('kinds', models.JSONField()),
                    ('state', models.CharField(choices=[('ACTIVE', 'Active'), ('PAUSED', 'Paused')], default='ACTIVE', max_length=8)),
                    ('because', models.CharField(blank=True, choices=[('STAFF', 'Somebody paused it'), ('GONE', 'It answered that it is gone (410)')], max_length=8)),
                    ('generation', models.PositiveIntegerField(default=1)),
                    ('previous_until', models.DateTimeField(blank=True, null=True)),
                    ('next_index', models.BigIntegerField()),
                    ('failures', models.PositiveIntegerField(default=0)),
                    ('answered_at', models.DateTimeField(blank=True, null=True)),
                    ('created_at', models.DateTimeField()),
                ],
                options={
                    'ordering': ['name'],
                },
            ),
            migrations.CreateModel(
                name='WebhookDelivery',
                fields=[
                    ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                    ('index', models.BigIntegerField(blank=True, null=True)),
                    ('kind', models.CharField(max_length=32)),
                    ('body', models.BinaryField()),
                    ('state', models.CharField(choices=[('WAITING', 'Waiting'), ('SENT', 'Delivered'), ('FAILED', 'Given up')], default='WAITING', max_length=8)),
                    ('attempts', models.PositiveIntegerField(default=0)),
                    ('since', models.DateTimeField()),
                    ('next_at', models.DateTimeField(blank=True, null=True)),
                    ('leased_until', models.DateTimeField(blank=True, null=True)),
                    ('status', models.PositiveIntegerField(blank=True, null=True)),
                    ('error', models.CharField(blank=True, max_length=200)),
                    ('created_at', models.DateTimeField()),
                    ('sent_at', models.DateTimeField(blank=True, null=True)),
                    ('webhook', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='deliveries', to='audits.webhook')),
                ],
                options={
                    'indexes': [models.Index(condition=models.Q(('state', 'WAITING')), fields=['webhook', 'next_at'], name='webhook_delivery_due'), models.Index(fields=['webhook', '-created_at'], name='webhook_delivery_newest')],
                    'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('state', 'WAITING'), _negated=True), ('next_at__isnull', False), _connector='OR'), name='a_message_that_waits_has_a_next_try')],
                },
            ),
            migrations.CreateModel(
                name='QueryReport',
                fields=[
                    ('id', models.UUIDField(primary_key=True, serialize=False)),
                    ('reader', models.CharField(max_length=200)),
                    ('day', models.DateField()),
                    ('digest', models.CharField(max_length=64)),
                    ('received_at', models.DateTimeField()),
                ],
            ),
            migrations.CreateModel(
                name='QueryCount',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('model_name', models.CharField(max_length=200)),
                    ('day', models.DateField()),
                    ('caller', models.CharField(max_length=64)),
                    ('answers', models.PositiveBigIntegerField()),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('model_name', 'day', 'caller'), name='a_caller_is_counted_once_a_day')],
                },
            ),
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
                    'constraints': [models.UniqueConstraint(fields=('version', 'day'), name='a_version_is_counted_once_a_day')],
                },
            ),
            migrations.CreateModel(
                name='SignInFailures',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('failures', models.PositiveIntegerField(default=0)),
                    ('locked_at', models.DateTimeField(blank=True, null=True)),
                    ('member', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='sign_in_failures', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'verbose_name_plural': 'sign-in failures',
                },
            ),
            migrations.CreateModel(
                name='StaffSession',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('began_at', models.DateTimeField()),
                    ('seen_at', models.DateTimeField()),
                    ('member', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='staff_sessions', to=settings.AUTH_USER_MODEL)),
                    ('session', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='of_staff', to='sessions.session')),
                ],
                options={
                    'ordering': ('-seen_at',),
                },
            ),
            migrations.CreateModel(
                name='SweepMark',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('began_at', models.DateTimeField()),
                    ('ended_at', models.DateTimeField()),
                    ('failed', models.PositiveIntegerField(default=0)),
                    ('after', models.UUIDField(editable=False, null=True)),
                    ('left', models.PositiveIntegerField(db_default=0, default=0)),
                ],
                options={
                    'constraints': [models.CheckConstraint(condition=models.Q(('id', 1)), name='there_is_one_mark_of_the_sweep')],
                },
            ),
            migrations.CreateModel(
                name='ModelOwner',
                fields=[
                    ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                    ('name', models.CharField(max_length=100, unique=True)),
                    ('seconds', models.FloatField(blank=True, null=True)),
                    ('runs', models.PositiveIntegerField(blank=True, null=True)),
                    ('lead_days', models.PositiveIntegerField(default=7)),
                    ('created_at', models.DateTimeField()),
                ],
                options={
                    'constraints': [models.CheckConstraint(condition=models.Q(('seconds', None), ('seconds__gte', 0), _connector='OR'), name='a_budget_of_seconds_is_not_negative')],
                },
            ),
            migrations.CreateModel(
                name='OwnedModel',
                fields=[
                    ('model_name', models.CharField(max_length=200, primary_key=True, serialize=False)),
                    ('owner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='models', to='audits.modelowner')),
                ],
            ),
            migrations.CreateModel(
                name='BudgetWait',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('code', models.CharField(choices=[('SECONDS', 'Compute seconds in 30 days'), ('RUNS', 'Runs in a day')], max_length=16)),
                    ('state', models.CharField(choices=[('WAITING', 'Waits for the budget'), ('FREE', 'There is room again'), ('DUE', 'Goes on regardless, as the answer is due'), ('LIFTED', 'Lifted for the case')], default='WAITING', max_length=16)),
                    ('since', models.DateTimeField()),
                    ('ended_at', models.DateTimeField(blank=True, null=True)),
                    ('reason', models.CharField(blank=True, max_length=500)),
                    ('lifted_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('request', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='budget_waits', to='audits.erasurerequest')),
                    ('owner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='waits', to='audits.modelowner')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('request', 'owner'), name='a_case_waits_once_for_an_owner'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'LIFTED'), _negated=True), models.Q(('reason', ''), _negated=True), _connector='OR'), name='a_budget_is_lifted_for_a_reason')],
                },
            ),
            migrations.CreateModel(
                name='WorkerSign',
                fields=[
                    ('name', models.CharField(max_length=200, primary_key=True, serialize=False)),
                    ('queues', models.JSONField(default=list)),
                    ('at', models.DateTimeField()),
                ],
            ),
        ]),
        migrations.RunPython(append_only.create_head, migrations.RunPython.noop),
        migrations.RunPython(forbid, allow),
    ]
