"""Other systems that are told what happens, and the messages to them."""

import django.db.models.deletion
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('audits', '0042_case_page'),
    ]

    operations = [
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
    ]
