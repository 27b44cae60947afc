"""The journal of erasures: what is in it, and what happens when it is not there."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from audits.services import closing
from lineage.models import (
    DataRecord,
    DataSubject,
    Job,
    Restriction,
)
from lineage.queries.subjects import find_subject
from lineage.services import missing_erasures
from lineage.services.journal import JournalMissing, read_journal
from tests.audits.backups import journalled, restore
from tests.audits.world import ADA, BERT, CLEO

pytestmark = pytest.mark.django_db


def test_a_person_without_records_is_in_the_journal_too(world):
    case = world.accepted()
    subject = DataSubject.objects.get(records__ordinal=0)
    DataRecord.objects.filter(subject=subject).update(subject=None)
    Restriction.objects.all().delete()
    closing.erase_data(request=case, now=timezone.now())
    (line,) = read_journal()
    assert (line.person, line.space_id, len(line.ordinals)) == (str(subject.pseudonym), "", 0)
    DataSubject.objects.filter(pk=subject.pk).update(erased_at=None)
    assert missing_erasures.missing_entries() == [line]


def test_a_lost_journal_stops_the_site_until_somebody_decides(world, settings, client, capsys):
    world.train("base", world.snapshot(ADA, BERT, CLEO))
    world.erased()
    before = [(line.case_id, line.ordinals) for line in read_journal()]
    settings.EXPUNGE_JOURNAL.unlink()
    missing_erasures._settled.clear()
    assert client.get("/erasure/").status_code == 503
    with pytest.raises(CommandError, match="--new-journal starts one"):
        call_command("replay_erasures")
    call_command("replay_erasures", "--new-journal")
    assert "Wrote 2 lines to the journal" in capsys.readouterr().err  # the erasure, and whose
    lines = read_journal()
    assert [(line.case_id, line.ordinals) for line in lines if line.space_id] == before
    assert [bool(line.person) for line in lines] == [False, True]
    assert client.get("/erasure/").status_code == 200
    with pytest.raises(CommandError, match="leave out --new-journal"):
        call_command("replay_erasures", "--new-journal")


def test_a_journal_that_is_another_one_is_noticed_and_completed(world, settings, client):
    world.train("base", world.snapshot(ADA, BERT, CLEO))
    world.erased()
    settings.EXPUNGE_JOURNAL.write_text("")
    missing_erasures._settled.clear()
    assert client.get("/erasure/").status_code == 503
    with pytest.raises(CommandError, match="not the one that names the erasures"):
        call_command("replay_erasures")
    call_command("replay_erasures", "--new-journal")
    assert client.get("/erasure/").status_code == 200


def test_after_a_rebuilt_journal_a_restored_person_is_still_missing(world, backup, settings):
    world.erased()
    settings.EXPUNGE_JOURNAL.unlink()
    call_command("replay_erasures", "--new-journal")
    restore(backup)
    Job.objects.filter(kind="ERASE").delete()
    assert missing_erasures.replay_needed()
    call_command("replay_erasures")
    assert find_subject("EMAIL", ADA) is None
    assert not missing_erasures.replay_needed()


def test_nobody_is_erased_while_the_journal_is_away(world, settings):
    world.train("base", world.snapshot(ADA, BERT, CLEO))
    world.erased()
    settings.EXPUNGE_JOURNAL.unlink()
    with pytest.raises(JournalMissing, match="Bring it back"):
        journalled(world, world.owned(BERT))
    assert not settings.EXPUNGE_JOURNAL.exists()
