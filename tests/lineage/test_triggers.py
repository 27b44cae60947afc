"""The database itself refuses what must not change."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction

from lineage.models import DatasetSnapshot, LineageEdge, RunOutput, SnapshotChunk
from tests.lineage.builders import data, filled, snapshot, trained
from tests.lineage.triggers import Editor, migration, without_triggers

pytestmark = [pytest.mark.django_db, pytest.mark.database]


@pytest.fixture(autouse=True)
def world(now):
    taken = snapshot(filled("faces", 3, now), now)
    return trained("m", now, data(taken))


def refused(action):
    with pytest.raises(DatabaseError, match="is append-only"), transaction.atomic():
        action()


@pytest.mark.parametrize("model", [LineageEdge, RunOutput, SnapshotChunk, DatasetSnapshot])
def test_a_deletion_is_refused(model):
    count = model.objects.count()
    refused(lambda: model.objects.all()._raw_delete("default"))
    refused(lambda: raw(f"DELETE FROM {model._meta.db_table}"))
    assert model.objects.count() == count > 0


@pytest.mark.parametrize(
    ("model", "change"),
    [
        (LineageEdge, {"influence": "NONE"}),
        (LineageEdge, {"influence": "INDIRECT"}),
        (LineageEdge, {"valid_to": None}),
        (LineageEdge, {"role": "BASE_MODEL"}),
        (LineageEdge, {"relation": "wasRevisionOf", "role": "VALIDATION"}),
        (RunOutput, {"run_id": None}),
        (SnapshotChunk, {"bitmap": b"x"}),
        (SnapshotChunk, {"is_delta": True}),
        (DatasetSnapshot, {"digest": "0" * 64}),
        (DatasetSnapshot, {"record_count": 2}),
        (DatasetSnapshot, {"seq": 9}),
    ],
)
def test_a_change_is_refused(model, change):
    refused(lambda: model.objects.update(**change))
    columns = ", ".join(f"{column} = %s" for column in change)
    refused(lambda: raw(f"UPDATE {model._meta.db_table} SET {columns}", list(change.values())))


def test_an_edge_may_become_stronger_and_hold_earlier_but_never_go_back(now):
    with without_triggers():
        LineageEdge.objects.update(influence="INDIRECT", role="TUNING", valid_from=now)
    LineageEdge.objects.update(influence="DIRECT", role="LABELS")
    LineageEdge.objects.update(valid_from=now - timedelta(days=1))
    refused(lambda: LineageEdge.objects.update(valid_from=now))
    refused(lambda: LineageEdge.objects.update(influence="INDIRECT"))


def test_saving_a_model_is_refused_as_well():
    snapshot = DatasetSnapshot.objects.get()
    snapshot.digest = "0" * 64
    refused(snapshot.save)
    refused(LineageEdge.objects.get().save)


def test_what_says_nothing_of_membership_may_change():
    DatasetSnapshot.objects.update(external_version="release 7")
    assert DatasetSnapshot.objects.get().external_version == "release 7"
    DatasetSnapshot.objects.get().save()


def test_the_migration_can_be_taken_back():
    with without_triggers():
        assert _triggers() == set()
        LineageEdge.objects.update(influence="INDIRECT")
    assert _triggers() == {rule[0] for rule in migration.RULES}
    refused(lambda: LineageEdge.objects.update(influence="NONE"))
    assert Editor.connection is connection


def raw(statement, parameters=()):
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)


def _triggers():
    query = {
        "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE %s",
        "postgresql": "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgname LIKE %s",
    }[connection.vendor]
    names = {rule[0] for rule in migration.RULES}
    with connection.cursor() as cursor:
        cursor.execute(query, ["%\\_no\\_%" if connection.vendor == "postgresql" else "%_no_%"])
        return {name for (name,) in cursor.fetchall() if name in names}
