"""Give the versions that events told of the ids that no two of them share.

Where two models had been taken for one, the version keeps the first of them by name; the other is
a version of its own as soon as an event names it again. The old ids come back from the same events.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import migrations

from lineage.core.told_names import fitted, joined

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.apps.registry import Apps
    from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def rename(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Write the new ids."""
    _rename(apps, dict(sorted(_ids(apps), reverse=True)))


def rename_back(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Write the old ones."""
    _rename(apps, {new: old for old, new in _ids(apps)})


def _ids(apps: Apps) -> Iterator[tuple[str, str]]:
    """Yield the old and the new id of each model that an event named."""
    for event in apps.get_model("lineage", "ReceivedEvent").objects.iterator():
        for kept in (*event.body.get("inputs", ()), *event.body.get("outputs", ())):
            if kept["model"]:
                version = kept["version"] or str(event.run_id)
                new = fitted("openlineage:", joined(kept["namespace"], kept["name"], version))
                yield f"openlineage:{kept['namespace']}/{kept['name']}#{version}"[:200], new


def _rename(apps: Apps, ids: dict[str, str]) -> None:
    versions = apps.get_model("lineage", "ModelVersion").objects
    for before, after in sorted(ids.items()):
        if before != after:
            versions.filter(external_id=before).update(external_id=after)


class Migration(migrations.Migration):
    dependencies = [("lineage", "0010_named_locations")]
    operations = [migrations.RunPython(rename, rename_back)]
