"""The legal clock of a case; those that have a due date get a clock derived from their receipt."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from audits.core.deadline import VERSION, Place, derive
from audits.core.regimes import EU


def give_clocks(apps, schema_editor):
    """Derive again what was stored as a date alone. The stored due date itself is not touched."""
    clocks = apps.get_model("audits", "CaseClock")
    place = Place(
        zone=settings.EXPUNGE_CLOCK_ZONE, country=settings.EXPUNGE_COUNTRY
    )
    cases = apps.get_model("audits", "ErasureRequest").objects.exclude(due_on=None)
    rows = cases.values_list("pk", "received_at", "due_on", "due_rule")
    made = (_clock(clocks, place, *row) for row in rows.iterator(chunk_size=500))
    clocks.objects.bulk_create(made, batch_size=500)


def _clock(clocks, place, case_id, received_at, due_on, rule):
    found = derive(received_at, place=place, regime=EU)
    same = found.first.due_on == due_on
    return clocks(
        request_id=case_id,
        received_at=found.received_at,
        received_on=found.received_on,
        zone=found.zone,
        regime=EU.code,
        rule=rule,
        calendar=found.calendar,
        calendar_version=VERSION,
        raw=min(found.first.raw, due_on),
        due_on=due_on,
        skipped=[[day.isoformat(), why] for day, why in found.first.skipped] if same else [],
        extended_raw=found.extended.raw,
        extended_due_on=found.extended.due_on,
        extended_skipped=[[day.isoformat(), why] for day, why in found.extended.skipped],
        backfilled=True,
    )


class Migration(migrations.Migration):

    dependencies = [
        ('audits', '0013_kinds_and_roles'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
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
        migrations.RunPython(give_clocks, migrations.RunPython.noop),
    ]
