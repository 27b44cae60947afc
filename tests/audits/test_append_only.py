from __future__ import annotations

from contextlib import contextmanager
from importlib import import_module
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from django.apps import apps
from django.db import IntegrityError, NotSupportedError, connection, transaction
from django.utils import timezone

from audits.models import (
    ComplianceRecord,
    Evidence,
    LogCheckpoint,
    LogHead,
    LogLeaf,
    Verdict,
)
from audits.services import log
from tests.append_only import _Editor, all_triggers, without_triggers
from tests.append_only import log as triggers
from tests.audits import sealed_cases

if TYPE_CHECKING:
    from django.db import models

pytestmark = [pytest.mark.database]
TABLES: dict[type[models.Model], str] = {
    LogLeaf: "type",
    LogCheckpoint: "note",
    Evidence: "digest",
    Verdict: "outcome",
    ComplianceRecord: "outcome",
}


@pytest.fixture
def filled(db, settings, tmp_path):
    """One row or more in every append-only table."""
    sealed_cases.use_folder(settings, tmp_path)
    sealed_cases.no_data_case()
    sealed_cases.judged_run()


@contextmanager
def refused(sentence):
    with pytest.raises(IntegrityError, match=sentence), transaction.atomic():
        yield


@pytest.mark.parametrize("model", TABLES)
def test_a_row_cannot_be_changed(filled, model):
    before = list(model.objects.values())
    with refused("is append-only"):
        model.objects.update(**{TABLES[model]: "CHANGED"})
    assert before
    assert list(model.objects.values()) == before


@pytest.mark.parametrize("model", TABLES)
def test_a_row_cannot_be_removed(filled, model):
    with refused("is append-only"):
        model.objects.all()._raw_delete(connection.alias)
    assert model.objects.exists()


@pytest.mark.parametrize("model", [*TABLES, LogHead])
def test_a_row_cannot_be_replaced(filled, model):
    table = model._meta.db_table
    verb = "INSERT OR REPLACE" if connection.vendor == "sqlite" else "INSERT"
    with refused(r"append-only|only grow|duplicate key"), connection.cursor() as cursor:
        cursor.execute(f"{verb} INTO {table} SELECT * FROM {table}")


@pytest.mark.parametrize("model", TABLES)
def test_every_unique_column_is_guarded_against_replacement(model):
    unique = {(field.column,) for field in model._meta.fields if field.unique}
    for constraint in model._meta.total_unique_constraints:
        fields = map(model._meta.get_field, constraint.fields)
        unique.add(tuple(field.column for field in fields))
    assert set(map(tuple, triggers.KEYS[model._meta.db_table])) == unique


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no TRUNCATE")
@pytest.mark.parametrize("model", [*TABLES, LogHead])
def test_a_table_cannot_be_truncated(filled, model):
    with refused("append-only|only grow"), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"TRUNCATE {model._meta.db_table} CASCADE")


def test_the_head_grows(filled):
    size = LogHead.objects.get().size
    LogHead.objects.update(size=size + 1)
    assert LogHead.objects.get().size == size + 1


@pytest.mark.parametrize("change", [{"size": 0}, {"size": 1}, {"id": 2, "size": 99}])
def test_the_head_cannot_shrink_or_move(filled, change):
    with refused("can only grow"):
        LogHead.objects.update(**change)


def test_the_head_cannot_stand_still_or_go(filled):
    size = LogHead.objects.get().size
    with refused("can only grow"):
        LogHead.objects.update(size=size)
    with refused("can only grow"):
        LogHead.objects.all().delete()


def test_a_migrated_database_has_an_empty_head(db):
    assert list(LogHead.objects.values()) == [{"id": 1, "size": 0, "frontier": b""}]


def test_events_are_still_written(filled):
    size = LogHead.objects.get().size
    with transaction.atomic():
        log.append(type="case_key_destroyed", case=_case(), now=timezone.now())
    assert LogLeaf.objects.count() == LogHead.objects.get().size == size + 1


def _case():
    return ComplianceRecord.objects.get().request_id


LATER = [
    import_module(f"audits.migrations.{name}")
    for name in ("0040_stored_policy", "0022_letters", "0012_procedure_certificates")
]


def test_the_migrations_can_be_taken_back(filled):
    for one in [*LATER, triggers]:
        one.allow(apps, _Editor(connection))
    Verdict.objects.all().delete()
    LogHead.objects.all().delete()
    assert not Verdict.objects.exists()
    triggers.create_head(apps, _Editor(connection))
    for one in [triggers, *reversed(LATER)]:
        one.forbid(apps, _Editor(connection))
    assert LogHead.objects.get().size == LogLeaf.objects.count()
    with refused("is append-only"):
        Evidence.objects.all().delete()


def test_emptying_the_tables_between_tests_leaves_every_trigger_as_the_migrations_made_it(db):
    before = all_triggers(connection)
    with without_triggers(connection):
        assert all_triggers(connection) != before
        LogHead.objects.all().delete()
    assert all_triggers(connection) == before
    assert LogHead.objects.exists()


def test_another_kind_of_database_is_refused():
    editor = SimpleNamespace(connection=SimpleNamespace(vendor="oracle"))
    with pytest.raises(NotSupportedError, match="The database is oracle"):
        triggers.forbid(None, editor)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("turn", [1, 2])
def test_a_transactional_test_starts_with_an_empty_guarded_log(settings, tmp_path, turn):
    sealed_cases.use_folder(settings, tmp_path)
    assert LogHead.objects.get().size == 0
    assert not LogLeaf.objects.exists()
    sealed_cases.no_data_case()
    with pytest.raises(IntegrityError, match="append-only"):
        LogLeaf.objects.all()._raw_delete(connection.alias)
