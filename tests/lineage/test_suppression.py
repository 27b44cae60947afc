"""The list of people who must not be imported again: its age, its end, and its use."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.management import call_command

from lineage import keys
from lineage.models import SuppressionHit
from lineage.services.importing import Row, import_records
from lineage.services.purge import shred_subject
from lineage.services.subjects import register_subject, suppression_names
from lineage.services.suppression import expire_suppressions, suppression_list

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


def shred(email, now=NOW):
    subject = register_subject(identifiers={"EMAIL": email}, now=now)
    shred_subject(subject=subject, now=now, suppress=True)


def imported(*people: str, now=NOW):
    rows = [
        Row(line=at, key=str(at), subject=person, content=b"x") for at, person in enumerate(people)
    ]
    return import_records(dataset_name="people", rows=rows, now=now)


def test_Q30_an_import_that_meets_the_list_is_counted_by_day_and_names_nobody(capsys):
    shred("ada@example.org")
    later = NOW + timedelta(days=9)
    report = imported("ada@example.org", "ada@example.org", "bert@example.org", now=later)
    assert (report.imported, len(report.rejected)) == (1, 2)
    found = suppression_list()
    assert (found.count, found.oldest) == (1, NOW.date())
    assert (found.hits, found.last_hit) == (1, later.date())
    call_command("suppression", "--json")
    assert json.loads(capsys.readouterr().out)["last_hit"] == "2026-03-11"
    call_command("suppression")
    assert "1 entries, the oldest of 2026-03-02, kept for ever" in capsys.readouterr().out


def test_an_entry_expires_and_leaves_nothing(home):
    shred("ada@example.org")
    shred("bert@example.org", now=NOW + timedelta(days=5))
    now = NOW + timedelta(days=31)
    assert expire_suppressions(now=now, days=0) == 0
    assert expire_suppressions(now=now, days=30) == 1
    assert suppression_list().count == 1
    assert imported("ada@example.org", "bert@example.org").imported == 1


def test_an_entry_of_an_earlier_release_gets_the_day_on_which_it_is_first_seen():
    keys.get_or_create_many(suppression_names(["0" * 64]).values())
    assert (suppression_list().count, suppression_list().oldest) == (1, None)
    assert expire_suppressions(now=NOW, days=30) == 0
    assert suppression_list().oldest == NOW.date()
    assert expire_suppressions(now=NOW + timedelta(days=31), days=30) == 1


def test_a_person_who_is_suppressed_twice_keeps_the_first_day():
    for days in (0, 4):
        shred("ada@example.org", now=NOW + timedelta(days=days))
    assert suppression_list().oldest == date(2026, 3, 2)
    assert not SuppressionHit.objects.exists()
