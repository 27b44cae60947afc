"""Let one purge rewrite a snapshot more than once: its set of ordinals may grow."""

from __future__ import annotations

from importlib import import_module

from django.db import migrations, models

append_only = import_module("lineage.migrations.0002_append_only")


class Migration(migrations.Migration):
    dependencies = [("lineage", "0004_record_locations")]
    operations = [
        migrations.RunPython(append_only.remove, append_only.install),
        migrations.RemoveConstraint(
            model_name="snapshotsupersession", name="a_purge_rewrites_a_snapshot_once"
        ),
        migrations.AddConstraint(
            model_name="snapshotsupersession",
            constraint=models.UniqueConstraint(
                fields=["snapshot", "purge", "previous_digest"],
                name="a_purge_rewrites_a_state_of_a_snapshot_once",
            ),
        ),
        migrations.RunPython(append_only.install, append_only.remove),
    ]
