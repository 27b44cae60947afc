"""A restored backup does not bring anybody back."""

from __future__ import annotations

import copy
import json
import uuid
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone
from fsspec.implementations.memory import MemoryFileSystem
from pyroaring import BitMap

from audits import workflow
from audits.models import ErasureRequest, LogLeaf
from audits.services import closing
from audits.workflow import tasks
from lineage import artifacts, keys
from lineage.models import (
    DataRecord,
    DataSubject,
    Job,
    LineagePurge,
    ModelVersion,
    OrdinalSpace,
    RecordContent,
    Restriction,
    SnapshotSupersession,
    SubjectIdentifier,
)
from lineage.queries.subjects import find_subject
from lineage.services import jobs, missing_erasures, replay
from lineage.services.journal import JournalMissing, read_journal, write_journal
from lineage.services.missing_erasures import ErasuresNotReplayed
from lineage.services.versions import VersionNotReleasable, release
from lineage.tasks import run_job
from tests.audits import world as worlds
from tests.audits.world import ADA, BERT, CLEO

pytestmark = pytest.mark.django_db
RESTORED = (DataRecord, DataSubject, SubjectIdentifier, RecordContent, OrdinalSpace)


@pytest.fixture
def backup(world):
    """A version and, before anybody is erased, what a backup would hold of people and data."""
    world.train("base", world.snapshot(ADA, BERT, CLEO))
    rows = {model: list(model.objects.all()) for model in RESTORED}
    files = {row.uri: artifacts.read(row.uri, row.sha256) for row in RecordContent.objects.all()}
    return rows, files


def restore(backup):
    """Bring rows and files back as they were; the key store and the journal are not in it."""
    rows, files = backup
    Restriction.objects.all().delete()
    LineagePurge.objects.all().delete()
    for model in (RecordContent, SubjectIdentifier):
        model.objects.all().delete()
    for model, saved in rows.items():
        for row in saved:
            row.save(force_insert=not model.objects.filter(pk=row.pk).exists())
    for row in rows[RecordContent]:
        ordinal = row.ordinal
        artifacts.write_record(row.space.public_id, ordinal, files[row.uri])
    ModelVersion.objects.filter(model_name="base", version=1).update(state="ACTIVE")
    missing_erasures._settled.clear()


@pytest.fixture
def restored(world, backup):
    case = world.erased()
    assert case.status == "SEALED"
    Job.objects.filter(kind="ERASE").delete()  # the backup did not have it yet
    restore(backup)
    assert find_subject("EMAIL", ADA) is not None
    return case


def test_a_restored_site_refuses_to_serve_until_the_erasures_are_replayed(
    world, restored, client, capsys
):
    answers = {path: client.get(path) for path in ("/", "/erasure/", "/api/v1/x", "/healthz")}
    assert {path: answer.status_code for path, answer in answers.items()} == dict.fromkeys(
        answers, 503
    )
    assert b"manage.py replay_erasures" in answers["/"].content
    assert answers["/healthz"].json() == {"erasures": "run manage.py replay_erasures"}

    call_command("replay_erasures", "--json")
    done = json.loads(capsys.readouterr().out)
    assert done == {"entries": 1, "records": 6, "remaining": 0, "quarantined": ["base v1"]}
    assert client.get("/erasure/").status_code == 200
    assert client.get("/healthz").json()["database"] == "ok"


def test_nothing_is_left_of_the_person(world, restored):
    call_command("replay_erasures")
    hers = world.owned(ADA)
    contents = RecordContent.objects.filter(ordinal__in=list(hers))
    named = DataRecord.objects.filter(ordinal__in=list(hers), invalidated_at=None)
    space = world.dataset.space
    assert not contents.exists()
    assert not named.exists()
    assert not any(artifacts.exists(artifacts.record_uri(space.public_id, o)) for o in hers)
    assert find_subject("EMAIL", ADA) is None
    person = read_journal()[0].person
    assert person
    with pytest.raises(keys.KeyDestroyed):
        keys.get(f"subject:{person}")
    assert find_subject("EMAIL", BERT) is not None
    assert RecordContent.objects.filter(ordinal__in=list(world.owned(BERT))).count() == 6


def test_a_version_that_came_back_is_quarantined_and_logged(world, restored):
    call_command("replay_erasures")
    base = ModelVersion.objects.get(model_name="base", version=1)
    assert base.state == "QUARANTINED"
    with pytest.raises(VersionNotReleasable, match="quarantined"):
        release(version=base)
    types = list(LogLeaf.objects.order_by("index").values_list("type", flat=True))[-2:]
    assert types == ["erasures_replayed", "version_quarantined"]


def test_a_replay_is_done_once(world, restored, capsys):
    call_command("replay_erasures")
    leaves = LogLeaf.objects.count()
    capsys.readouterr()
    call_command("replay_erasures")
    assert "Nothing to replay" in capsys.readouterr().out
    assert LogLeaf.objects.count() == leaves


def test_workers_do_nothing_before_the_replay(world, restored, monkeypatch):
    monkeypatch.setattr("lineage.tasks._start_child", lambda _job: 1 / 0)
    job = workflow.train(key="train:x", payload_id=restored.pk, parameters={})
    run_job(str(job.pk))
    tasks.sweep()
    job.refresh_from_db()
    assert job.status == "QUEUED"


def test_an_erasure_that_is_being_done_does_not_stop_the_site(world, client):
    case = world.accepted()
    world.work(until=lambda: Job.objects.filter(kind="ERASE", status="QUEUED").exists())
    write_journal(
        case_id=case.pk,
        space=world.dataset.space,
        ordinals=world.owned(ADA),
        now=timezone.now(),
    )
    missing_erasures._settled.clear()
    assert client.get("/erasure/").status_code == 200


def test_ordinals_handed_out_after_the_backup_are_not_handed_out_again(world, backup):
    worlds.imported("digits", [(ADA, worlds.digits()[0])])
    late = OrdinalSpace.objects.get().next_ordinal - 1
    case = world.erased()
    assert case.plan["spaces"][0]["records"] == 7
    Job.objects.filter(kind="ERASE").delete()
    DataRecord.objects.filter(ordinal=late).delete()
    restore(backup)
    assert OrdinalSpace.objects.get().next_ordinal == late
    call_command("replay_erasures")
    worlds.imported("digits", [(BERT, worlds.digits()[1])])
    assert DataRecord.objects.filter(ordinal=late + 1).exists()
    assert not DataRecord.objects.filter(ordinal=late).exists()


def test_files_that_the_store_keeps_are_named_and_tried_again(world, restored, monkeypatch):
    with monkeypatch.context() as broken:
        broken.setattr(
            artifacts,
            "destroy",
            lambda _uri: (_ for _ in ()).throw(artifacts.ArtefactRemains("still there")),
        )
        with pytest.raises(CommandError, match="6 records can still be found"):
            call_command("replay_erasures")
    call_command("replay_erasures")
    assert not RecordContent.objects.filter(ordinal__in=list(world.owned(ADA))).exists()


def test_without_a_journal_there_is_a_sentence(world):
    with pytest.raises(CommandError, match="There is no journal at"):
        call_command("replay_erasures")


def test_an_old_line_without_a_pseudonym_is_still_read(world, settings):
    settings.EXPUNGE_JOURNAL.parent.mkdir(parents=True)
    space = world.dataset.space
    write_journal(
        case_id=space.public_id,
        space=space,
        ordinals=BitMap([0]),
        now=timezone.now() - timedelta(days=1),
    )
    line = json.loads(settings.EXPUNGE_JOURNAL.read_text())
    del line["person"]
    settings.EXPUNGE_JOURNAL.write_text(json.dumps(line) + "\n")
    assert missing_erasures.missing_entries()[0].person == ""
    call_command("replay_erasures")
    assert not RecordContent.objects.filter(ordinal=0).exists()


def journalled(world, ordinals):
    """An erasure that the journal names and this database does not know."""
    write_journal(
        case_id=uuid.uuid4(), space=world.dataset.space, ordinals=ordinals, now=timezone.now()
    )
    missing_erasures._settled.clear()


def to_erase(world):
    """A case whose job that erases is queued."""
    world.train("base", world.snapshot(ADA, BERT, CLEO))
    world.accepted()
    world.work(until=lambda: Job.objects.filter(kind="ERASE", status="QUEUED").exists())
    return Job.objects.get(kind="ERASE")


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


def test_a_case_restored_before_its_decision_gets_a_linked_case(world, restored):
    ErasureRequest.objects.filter(pk=restored.pk).update(
        status="VERIFIED", ground="", outcome="", accepted_at=None
    )
    call_command("replay_erasures")
    tasks.sweep()
    linked = ErasureRequest.objects.get(channel="LATE_MEMBERSHIP")
    assert (linked.linked_to, linked.ground) == (restored, "ART_17_1_D")


def test_cases_do_not_go_on_before_the_replay(world, monkeypatch):
    world.train("base", world.snapshot(ADA, BERT, CLEO))
    case = world.accepted()
    job = Job.objects.get(kind="PLAN")
    journalled(world, world.owned(BERT))
    monkeypatch.setattr(tasks, "advance", lambda _case: 1 / 0)
    tasks.job_ended(str(job.pk))
    tasks.advance_case(str(case.pk))
    assert world.current(case).status == "RESTRICTED"


def test_nothing_is_imported_before_the_replay(world):
    taken = OrdinalSpace.objects.get().next_ordinal
    journalled(world, BitMap([taken]))
    with pytest.raises(ErasuresNotReplayed, match=r"Run manage\.py replay_erasures"):
        worlds.imported("digits", [(BERT, worlds.digits()[70])])
    call_command("replay_erasures")
    worlds.imported("digits", [(BERT, worlds.digits()[70])])
    assert RecordContent.objects.filter(ordinal=taken + 1).exists()


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


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="copies the database by SQLite's API")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("moment", "mode"),
    [
        ("before the case", "SHRED"),
        ("before the case", "HARD"),
        ("RESTRICTED", "SHRED"),
        ("UNLEARN", "SHRED"),
    ],
)
def test_a_whole_backup_brings_nobody_back(world, client, settings, moment, mode):
    settings.EXPUNGE_PURGE_MODE = mode
    world.train("base", world.snapshot(ADA, BERT, CLEO))
    if moment == "before the case":
        kept = whole_backup()
        world.accepted()
    else:
        world.accepted()
        if moment == "UNLEARN":
            world.work(until=lambda: Job.objects.filter(kind=moment, status="QUEUED").exists())
        kept = whole_backup()
    world.work()
    assert find_subject("EMAIL", ADA) is None

    bring_back(kept)
    assert find_subject("EMAIL", ADA) is not None
    assert client.get("/erasure/").status_code == 503
    call_command("replay_erasures")
    assert client.get("/erasure/").status_code == 200
    assert find_subject("EMAIL", ADA) is None
    hers = list(world.owned(ADA))
    assert not RecordContent.objects.filter(ordinal__in=hers).exists()
    assert not any(
        artifacts.exists(artifacts.record_uri(world.dataset.space.public_id, o)) for o in hers
    )
    with world.commit(execute=True):
        tasks.sweep()
    world.work()
    assert set(ErasureRequest.objects.values_list("status", "email")) == {("SEALED", "")}
    states = dict(ModelVersion.objects.values_list("version", "state"))
    assert states == {1: "DESTROYED", 2: "ACTIVE"}


def whole_backup():
    """Database and store; keys and journal are in no backup."""
    from pysqlite3 import dbapi2

    kept = dbapi2.connect(":memory:")
    connection.connection.backup(kept)
    return kept, copy.deepcopy(MemoryFileSystem.store)


def bring_back(backup):
    saved, files = backup
    saved.backup(connection.connection)
    saved.close()
    MemoryFileSystem.store.clear()
    MemoryFileSystem.store.update(files)
    missing_erasures._settled.clear()
