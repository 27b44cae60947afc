"""One command makes a backup, one brings it back; nobody who was erased since comes with it."""

from __future__ import annotations

import json
import os

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone
from pyroaring import BitMap

from audits.models import ErasureRequest, LogLeaf
from audits.services.sweep_marks import note_sweep
from lineage import artifacts, keys
from lineage.models import Backup, RecordContent
from lineage.queries.subjects import find_subject
from lineage.services import database_copies, missing_erasures
from tests.audits.backups import journalled
from tests.audits.world import ADA, BERT
from tests.functional.installation import Installation
from tests.migrated import address_of, maintain

pytestmark = pytest.mark.django_db(transaction=True)
DRILL = ["erasures_replayed", "restore_drilled"]


@pytest.fixture
def backup(world, tmp_path):
    """A backup of a world in which nobody was erased; its journal had no line yet."""
    folder = tmp_path / "backups" / "nightly-0302"
    call_command("backup", str(folder), "--days", "30", "--keys", str(tmp_path / "apart"))
    return folder


@pytest.fixture
def elsewhere(backup, settings, tmp_path):
    """A machine with the copy of the keys, the journal that grows, and an empty database."""
    home, name = tmp_path / "elsewhere", f"drill_{os.getpid()}"
    home.mkdir()
    (tmp_path / "apart").rename(home / "keys")
    environ = {"DATABASE_URL": address_of(name), "EXPUNGE_JOURNAL": str(settings.EXPUNGE_JOURNAL)}
    machine = Installation(home=home, environ=environ)
    if connection.vendor == "sqlite":
        yield machine
        return
    maintain(f'CREATE DATABASE "{name}"')
    yield machine
    maintain(f'DROP DATABASE "{name}"')


def restore(folder, *more: str):
    missing_erasures._settled.clear()
    try:
        call_command("restore", str(folder), "--yes", *more)
    finally:
        missing_erasures._settled.clear()


def types():
    return list(LogLeaf.objects.order_by("index").values_list("type", flat=True))


def test_a_drill_erases_again_checks_all_and_is_logged(world, backup, capsys):
    hers, space = world.owned(ADA), world.dataset.space
    assert world.erased().status == "SEALED"
    for ordinal in world.owned(BERT):  # a disk that is lost
        artifacts.destroy(artifacts.record_uri(space.public_id, ordinal))
    restore(backup)

    said = capsys.readouterr().out
    assert "Replayed 1 erasures of 6 records" in said  # so she was back
    assert "The log is whole" in said
    assert not ErasureRequest.objects.exists()  # her case is younger than the backup
    assert not RecordContent.objects.filter(ordinal__in=list(hers)).exists()
    assert not any(artifacts.exists(artifacts.record_uri(space.public_id, o)) for o in hers)
    for row in RecordContent.objects.filter(ordinal__in=list(world.owned(BERT))):
        assert artifacts.read(row.uri, row.sha256)
    assert [one for one in types() if one in DRILL] == DRILL
    assert Backup.objects.get(name="nightly-0302").covers == "database, store, journal"


def test_a_drill_on_another_machine_begins_with_an_empty_database(
    world, backup, elsewhere, settings
):
    """Its keys are those that were copied when the backup was made: hers is among them."""
    hers = find_subject("EMAIL", ADA)
    assert hers is not None
    name = f"subject:{hers.pseudonym}"
    assert world.erased().status == "SEALED"
    before = types()
    said = elsewhere.manage("restore", str(backup), "--yes")

    assert "Database and 60 files of the store are as on" in said
    assert "Replayed 1 erasures of 6 records" in said
    assert "Nothing is left of the records of 0 closed cases" in said
    logged = elsewhere.query('SELECT type FROM audits_logleaf ORDER BY "index"')
    assert [one for (one,) in logged if one in DRILL] == DRILL
    ordinals = {one for (one,) in elsewhere.query("SELECT ordinal FROM lineage_recordcontent")}
    files = {int(p.name) for p in elsewhere.home.glob("store/records/*/*/*")}
    assert ordinals == files == set(range(60)) - set(world.owned(ADA))
    assert types() == before
    for folder in (settings.KEYS, elsewhere.home / "keys"):
        settings.KEYS = folder
        with pytest.raises(keys.KeyDestroyed):
            keys.get(name)


@pytest.mark.one_engine
def test_keys_lie_apart_and_never_with_the_database(backup, settings, tmp_path):
    names = {path.name for path in backup.iterdir()}
    assert names <= {"backup.json", "database.dump", "store.tar", "journal.jsonl"}
    private = {
        p.read_bytes() for p in settings.KEYS.rglob("*") if p.is_file() and p.stat().st_size
    }
    assert private
    assert {p.read_bytes() for p in (tmp_path / "apart").rglob("*") if p.is_file()} >= private
    with pytest.raises(CommandError, match="keys would lie with the database"):
        call_command("backup", str(tmp_path / "b"), "--days", "1", "--keys", str(tmp_path / "b/k"))
    assert not (tmp_path / "b").exists()


@pytest.mark.one_engine
@pytest.mark.parametrize("name", ["database.dump", "store.tar"])
def test_an_altered_backup_changes_nothing(backup, name):
    before = types()
    path = backup / name
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    with pytest.raises(CommandError, match=f"{name} of the backup is missing or was altered"):
        restore(backup)
    assert types() == before


@pytest.mark.one_engine
def test_a_backup_of_the_other_engine_is_refused(backup):
    about = json.loads((backup / "backup.json").read_text())
    other = {"sqlite": "postgresql", "postgresql": "sqlite"}[connection.vendor]
    (backup / "backup.json").write_text(json.dumps({**about, "engine": other}))
    with pytest.raises(CommandError, match=f"The backup is of {other}"):
        restore(backup)


@pytest.mark.one_engine
def test_a_lost_journal_is_not_replaced_unasked(world, tmp_path, settings):
    journalled(world, BitMap(world.owned(ADA)))
    call_command("replay_erasures")
    call_command("backup", str(tmp_path / "later"), "--days", "30")
    whole = settings.EXPUNGE_JOURNAL.read_bytes()
    settings.EXPUNGE_JOURNAL.unlink()
    with pytest.raises(CommandError, match="no journal at"):
        restore(tmp_path / "later")
    restore(tmp_path / "later", "--journal-lost")
    assert settings.EXPUNGE_JOURNAL.read_bytes() == whole
    with pytest.raises(CommandError, match="newer than that of the backup"):
        restore(tmp_path / "later", "--journal-lost")


@pytest.mark.one_engine
def test_nothing_is_left_where_the_database_cannot_be_dumped(world, tmp_path, monkeypatch):
    def fail(path):
        raise database_copies.DatabaseNotCopied("pg_dump is not on PATH.")

    monkeypatch.setattr(database_copies, "dump", fail)
    with pytest.raises(CommandError, match="not on PATH"):
        call_command("backup", str(tmp_path / "none"), "--days", "30")
    assert not (tmp_path / "none").exists()
    assert not Backup.objects.exists()


@pytest.mark.one_engine
def test_postgresql_without_its_programs_is_refused_with_a_sentence(monkeypatch, tmp_path):
    monkeypatch.setattr(database_copies, "engine", lambda: "postgresql")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(database_copies.DatabaseNotCopied, match="client programs of PostgreSQL"):
        database_copies.dump(tmp_path / "x")


@pytest.mark.one_engine
def test_a_restore_waits_until_the_workers_are_gone(backup):
    before, now = types(), timezone.now()
    note_sweep(began=now, ended=now, failed=0, left=0)
    with pytest.raises(CommandError, match="A sweep ended less than a minute ago"):
        restore(backup)
    assert types() == before
    restore(backup, "--everything-stopped")
    assert types()[-1] == "restore_drilled"


@pytest.mark.one_engine
def test_a_session_of_the_backup_does_not_come_back(world, tmp_path):
    SessionStore().create()
    call_command("backup", str(tmp_path / "b"), "--days", "30")
    Session.objects.all().delete()
    restore(tmp_path / "b")
    assert not Session.objects.exists()


@pytest.mark.one_engine
def test_tables_of_another_release_are_refused_where_pg_restore_would_stumble(backup, monkeypatch):
    monkeypatch.setattr(database_copies, "engine", lambda: "postgresql")
    about = json.loads((backup / "backup.json").read_text())
    assert "audits.0053_place_of_the_sweep" in about["migrations"]
    about |= {"engine": "postgresql", "migrations": about["migrations"][:-1]}
    (backup / "backup.json").write_text(json.dumps(about))
    with pytest.raises(CommandError, match="tables of another release than the backup"):
        restore(backup)


@pytest.mark.django_db
def test_a_database_that_took_the_short_way_has_the_tables_of_one_that_took_each_step():
    before = database_copies.applied()
    short = MigrationRecorder.Migration.objects.filter(name__contains="_squashed_")
    assert short.count() == 3
    short.delete()
    assert database_copies.applied() == before
    assert "audits.0055_worker_signs" in before
