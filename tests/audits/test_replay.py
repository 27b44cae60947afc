"""A restored backup does not bring anybody back."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone
from pyroaring import BitMap

from audits import workflow
from audits.models import ErasureRequest, LogLeaf
from audits.workflow import tasks
from lineage import artifacts, keys
from lineage.models import (
    DataRecord,
    Job,
    ModelVersion,
    OrdinalSpace,
    RecordContent,
)
from lineage.queries.subjects import find_subject
from lineage.services import missing_erasures
from lineage.services.journal import read_journal, write_journal
from lineage.services.missing_erasures import ErasuresNotReplayed
from lineage.services.versions import VersionNotReleasable, release
from lineage.tasks import run_job
from tests.audits import world as worlds
from tests.audits.backups import bring_back, journalled, restore, whole_backup
from tests.audits.world import ADA, BERT, CLEO

pytestmark = pytest.mark.django_db


def test_a_restored_site_refuses_to_serve_until_the_erasures_are_replayed(
    world, restored, client, capsys
):
    answers = {path: client.get(path) for path in ("/", "/erasure/", "/api/v1/x", "/readyz")}
    assert {path: answer.status_code for path, answer in answers.items()} == dict.fromkeys(
        answers, 503
    )
    assert b"manage.py replay_erasures" in answers["/"].content
    checks = answers["/readyz"].json()["checks"]
    assert checks["erasures"] == "run manage.py replay_erasures"

    call_command("replay_erasures", "--json")
    done = json.loads(capsys.readouterr().out)
    assert done.pop("places") == {"erased": [], "stuck": [], "by_hand": []}
    assert done == {"entries": 1, "records": 6, "remaining": 0, "quarantined": ["base v1"]}
    assert client.get("/erasure/").status_code == 200
    assert client.get("/readyz").json()["checks"]["erasures"] == "ok"


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


@pytest.mark.skipif(connection.vendor != "sqlite", reason="copies the database by SQLite's API")
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
    assert {(one.status, one.email) for one in ErasureRequest.objects.all()} == {("SEALED", "")}
    states = dict(ModelVersion.objects.values_list("version", "state"))
    assert states == {1: "DESTROYED", 2: "ACTIVE"}
