"""Notices are written from the texts of letters, in a language per addressee, and kept."""


from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('audits', '0030_log_subtrees'),
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
    ]
