"""How often callers of served models asked, and readers who went on with a next version."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('audits', '0046_webhooks'),
    ]

    operations = [
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
        migrations.AddField(
            model_name='reading',
            name='followed',
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name='reading',
            name='gone_at',
            field=models.DateTimeField(blank=True, null=True),
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
    ]
