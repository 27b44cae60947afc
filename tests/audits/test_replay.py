"""A restored backup does not bring anybody back."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from pyroaring import BitMap

from audits import workflow
from audits.models import LogLeaf
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
    SubjectIdentifier,
)
from lineage.queries.subjects import find_subject
from lineage.services import replay
from lineage.services.journal import read_journal, write_journal
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
    replay._settled.clear()


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
    replay._settled.clear()
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
    assert replay.missing_entries()[0].person == ""
    call_command("replay_erasures")
    assert not RecordContent.objects.filter(ordinal=0).exists()
