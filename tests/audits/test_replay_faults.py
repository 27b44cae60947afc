"""What a restored backup may hold, and what may die while it is replayed."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone
from pyroaring import BitMap

from audits.models import LogLeaf
from audits.services import closing
from lineage.models import (
    DataSubject,
    Job,
    OrdinalSpace,
    RecordContent,
    SnapshotSupersession,
    SubjectIdentifier,
)
from lineage.queries.subjects import find_subject
from lineage.services import jobs, missing_erasures, replay
from lineage.services.journal import read_journal
from tests.audits.backups import journalled, to_erase
from tests.audits.world import ADA, BERT, CLEO

pytestmark = pytest.mark.django_db


def test_a_failed_attempt_in_the_backup_does_not_hide_the_erasure(world):
    job = to_erase(world)
    journalled(world, world.owned(BERT))
    Job.objects.filter(pk=job.pk).update(payload_id=read_journal()[0].case_id, status="FAILED")
    assert missing_erasures.replay_needed()
    call_command("replay_erasures")
    assert not RecordContent.objects.filter(ordinal__in=list(world.owned(BERT))).exists()


def test_a_failed_attempt_that_wrote_the_line_does_not_stop_the_site(world):
    job = to_erase(world)
    journalled(world, world.owned(ADA))
    Job.objects.filter(pk=job.pk).update(
        payload_id=read_journal()[0].case_id, status="FAILED", ended_at=timezone.now()
    )
    assert not missing_erasures.replay_needed()
    Job.objects.filter(pk=job.pk).update(ended_at=timezone.now() - timedelta(hours=1))
    assert missing_erasures.replay_needed()


def test_a_queued_job_does_not_hide_ordinals_that_a_restore_hands_out_again(world):
    job = to_erase(world)
    taken = OrdinalSpace.objects.get().next_ordinal
    journalled(world, BitMap([taken + 3]))
    Job.objects.filter(pk=job.pk).update(payload_id=read_journal()[0].case_id)
    assert missing_erasures.replay_needed()


def test_while_a_job_erases_nothing_is_taken_as_settled(world):
    job = to_erase(world)
    journalled(world, world.owned(BERT))
    Job.objects.filter(pk=job.pk).update(payload_id=read_journal()[0].case_id)
    assert not missing_erasures.replay_needed()
    Job.objects.filter(pk=job.pk).update(status="SUCCEEDED")
    assert missing_erasures.replay_needed()


@pytest.mark.parametrize("step", ["erase_records", "shred_subject", "quarantine"])
def test_a_replay_that_dies_in_between_is_done_again_as_a_whole(
    world, restored, monkeypatch, step
):
    with monkeypatch.context() as dying:
        dying.setattr(replay, step, lambda *_, **__: exec("raise KeyboardInterrupt"))
        with pytest.raises(KeyboardInterrupt):
            call_command("replay_erasures")
    assert missing_erasures.replay_needed()
    call_command("replay_erasures")
    assert find_subject("EMAIL", ADA) is None
    assert LogLeaf.objects.filter(type="erasures_replayed").count() == 1
    assert LogLeaf.objects.filter(type="version_quarantined").count() == 1
    assert not missing_erasures.replay_needed()


def test_a_person_of_whom_only_the_identifiers_came_back_is_missing(world, backup):
    world.erased()
    subject = DataSubject.objects.get(pseudonym=read_journal()[0].person)
    for row in backup[0][DataSubject] + backup[0][SubjectIdentifier]:
        if row.pk == subject.pk or getattr(row, "subject_id", None) == subject.pk:
            row.save(force_insert=not type(row).objects.filter(pk=row.pk).exists())
    assert find_subject("EMAIL", ADA) is not None
    missing_erasures._settled.clear()
    assert missing_erasures.replay_needed()
    call_command("replay_erasures")
    assert find_subject("EMAIL", ADA) is None
    assert not missing_erasures.replay_needed()


def superseded():
    (leaf,) = LogLeaf.objects.filter(type="snapshots_superseded")
    note = closing.supersession_note(SnapshotSupersession.objects.all())
    return json.loads(bytes(leaf.data))["data"]["note"] == note


def test_superseded_snapshots_are_logged_although_the_process_died(world, settings, monkeypatch):
    settings.EXPUNGE_PURGE_MODE = "HARD"
    job = to_erase(world)
    with monkeypatch.context() as dying:
        dying.setattr(closing, "_log_erasure", lambda *_: exec("raise KeyboardInterrupt"))
        with pytest.raises(KeyboardInterrupt):
            world.run(job)
    assert SnapshotSupersession.objects.exists()
    job.refresh_from_db()
    jobs.release_job(job=job, now=timezone.now())
    world.work()
    assert superseded()


def test_a_hard_replay_logs_what_it_superseded(world, settings):
    settings.EXPUNGE_PURGE_MODE = "HARD"
    world.train("base", world.snapshot(ADA, BERT, CLEO))
    journalled(world, world.owned(ADA))
    call_command("replay_erasures")
    call_command("replay_erasures")
    assert superseded()
