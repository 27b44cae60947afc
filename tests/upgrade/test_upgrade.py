"""A database of an earlier release becomes one of this release; its evidence still verifies."""

from __future__ import annotations

import gzip
import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from audits.core import record

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PACKED, KEY = HERE / "before_the_api.sqlite3.gz", HERE / "before_the_api.vkey"
# Runs on the upgraded file, in a process of its own: the settings name another database here.
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
    """Where the upgraded database lies, and what its check said."""
    home = tmp_path_factory.mktemp("earlier")
    file = home / "expunge.sqlite3"
    file.write_bytes(gzip.decompress(PACKED.read_bytes()))
    before = rows(file)
    ended = subprocess.run(
        [sys.executable, "-c", CHECK, KEY.read_text().strip()],
        cwd=ROOT,
        env=clean(home),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
    return before, rows(file), json.loads(ended.stdout.splitlines()[-1])


def clean(home):
    kept = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG"}}
    return {
        **kept,
        "EXPUNGE_HOME": str(home),
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "PYTHONPATH": str(ROOT),
        "OMP_NUM_THREADS": "1",
    }


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
    _, _, said = upgraded
    assert said == [38, 2, 2, 0, ["RESTRICTED", "SEALED", "SEALED"]]


def test_what_was_signed_is_the_same_to_the_byte_and_verifies(upgraded):
    before, after, _ = upgraded
    for name in ("leaves", "records", "checkpoints"):
        assert before[name] == after[name]
    for (data,) in after["records"]:
        assert record.verify(bytes(data), vkey=KEY.read_text().strip()).checkpoint.size


def test_the_fixture_is_of_before(upgraded):
    before, after, _ = upgraded
    new = {tuple(one) for one in after["migrations"]} - {tuple(o) for o in before["migrations"]}
    assert {("audits", "0046_webhooks"), ("lineage", "0040_api_keys_and_calls")} <= new
