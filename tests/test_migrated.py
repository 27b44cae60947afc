"""A migrated database is used again for the same code only."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from django.core.management import call_command
from django.db import connection

from tests import migrated


@pytest.fixture
def code(tmp_path, monkeypatch):
    monkeypatch.setattr(migrated, "ROOT", tmp_path)
    (tmp_path / "constraints.txt").write_text("django==5.2\n")
    folder = tmp_path / "audits" / "migrations"
    folder.mkdir(parents=True)
    (folder / "0001_initial.py").write_text("one = 1\n")
    return tmp_path


@pytest.mark.parametrize(
    "changed", ["constraints.txt", "audits/migrations/0001_initial.py", "lineage/new.py"]
)
def test_any_change_of_the_code_or_its_pins_makes_another(code, changed):
    before = migrated.digest_of_code()
    assert migrated.digest_of_code() == before
    (code / changed).parent.mkdir(exist_ok=True)
    with (code / changed).open("a") as file:
        file.write("more\n")
    assert migrated.digest_of_code() != before


def test_a_moved_line_is_a_change_too(code):
    before = migrated.digest_of_code()
    (code / "audits/migrations/0001_initial.py").rename(code / "audits/migrations/0002_next.py")
    assert migrated.digest_of_code() != before


def test_the_database_is_made_where_no_test_of_the_run_is_marked(monkeypatch):
    """Or a test of ``template`` alone would keep an empty one for all runs that follow."""
    made: list[dict[str, None]] = []
    test = connection.creation._get_test_db_name()  # type: ignore[attr-defined]  # not in stubs
    monkeypatch.setattr(migrated, "setup_databases", lambda **how: made.append(how["aliases"]))
    for name in ("configured", test):
        monkeypatch.setitem(connection.settings_dict, "NAME", name)
        migrated._made()
    assert made == [{"default": None}, {}]


@pytest.mark.django_db
def test_nothing_is_left_to_migrate():
    call_command("migrate", check_unapplied=True, verbosity=0)


@pytest.mark.django_db
@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="PostgreSQL is migrated each time")
def test_what_is_kept_has_every_table_and_trigger_of_the_database(migrated_file):
    ask = "SELECT type, name, sql FROM sqlite_master ORDER BY type, name"
    with closing(sqlite3.connect(migrated_file)) as kept, connection.cursor() as cursor:
        assert cursor.execute(ask).fetchall() == kept.execute(ask).fetchall()
