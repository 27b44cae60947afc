"""A database of an earlier release becomes one of this release; its evidence still verifies."""

from __future__ import annotations

import gzip
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from django.db import connection

from audits.core import record
from tests.upgrade import elsewhere, schema

HERE = Path(__file__).parent
PACKED, KEY = HERE / "before_the_api.sqlite3.gz", HERE / "before_the_api.vkey"
# Runs on the upgraded file.
CHECK = """
import django, json, sys
django.setup()
from django.core.management import call_command
call_command("migrate", interactive=False, verbosity=0)
call_command("migrate", check_unapplied=True, verbosity=0)
from audits.models import ComplianceRecord, ErasureRequest
from audits.queries.footprint import footprint
from audits.queries.log_check import check_log
from django.utils import timezone
found = check_log(vkey=sys.argv[1])
left = [footprint(one, now=timezone.now()).left for one in ErasureRequest.objects.all()]
print(json.dumps([found.events, found.checkpoints, found.records, sum(map(len, left)),
                  sorted(ErasureRequest.objects.values_list("status", flat=True))]))
"""


@pytest.fixture(scope="module")
def upgraded(tmp_path_factory):
    """What was in the database before and is there now, what its check said, and where it lies."""
    home = tmp_path_factory.mktemp("earlier")
    file = home / "expunge.sqlite3"
    file.write_bytes(gzip.decompress(PACKED.read_bytes()))
    before = rows(file)
    said = elsewhere.run(CHECK, KEY.read_text().strip(), home=home)
    return before, rows(file), json.loads(said.splitlines()[-1]), file


def rows(file):
    """The bytes that were signed, and the names of the migrations, in a database."""
    ask = {
        "leaves": 'SELECT "index", data FROM audits_logleaf ORDER BY "index"',
        "records": "SELECT data FROM audits_compliancerecord ORDER BY 1",
        "checkpoints": "SELECT size, note FROM audits_logcheckpoint ORDER BY size",
        "migrations": "SELECT app, name FROM django_migrations ORDER BY 1, 2",
    }
    with closing(sqlite3.connect(file)) as database:
        return {name: database.execute(text).fetchall() for name, text in ask.items()}


def test_the_log_and_every_record_of_the_earlier_release_are_whole(upgraded):
    _, _, said, _ = upgraded
    assert said == [38, 2, 2, 0, ["RESTRICTED", "SEALED", "SEALED"]]


def test_what_was_signed_is_the_same_to_the_byte_and_verifies(upgraded):
    before, after, *_ = upgraded
    for name in ("leaves", "records", "checkpoints"):
        assert before[name] == after[name]
    for (data,) in after["records"]:
        assert record.verify(bytes(data), vkey=KEY.read_text().strip()).checkpoint.size


def test_the_fixture_is_of_before(upgraded):
    before, after, *_ = upgraded
    new = {tuple(one) for one in after["migrations"]} - {tuple(o) for o in before["migrations"]}
    assert {("audits", "0046_webhooks"), ("lineage", "0040_api_keys_and_calls")} <= new


@pytest.mark.skipif(connection.vendor != "sqlite", reason="the earlier database is SQLite's")
def test_its_tables_indexes_and_triggers_are_those_of_a_new_database(upgraded, django_db_setup):
    before, after, _, file = upgraded
    squashed = {tuple(one) for one in after["migrations"] if "_squashed_" in one[1]}
    assert {app for app, _ in squashed} >= {"audits", "lineage", "unlearning"}
    assert not any("_squashed_" in name for app, name in before["migrations"] if app == "audits")
    assert schema.of_sqlite(file) == schema.of_sqlite(Path(django_db_setup))
