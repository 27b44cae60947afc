"""Whole cases, from the form to the seal, with the worker in this process."""

from __future__ import annotations

import json

import pytest
from django.core import mail
from django.db import transaction

from audits import keys, workflow
from audits.core.record import verify
from audits.models import ShadowResult
from audits.workflow import doorbell, steps, tasks
from lineage.models import DataRecord, Job, ModelVersion, RecordContent, Run
from lineage.queries.availability import restricted_ordinals
from lineage.services.journal import read_journal
from tests.audits import world as worlds
from tests.audits.workflow.stands import states, verdicts
from tests.audits.world import ADA, FAIL, events, logged, runs, told

# --- the whole way ----------------------------------------------------------------------------


def test_an_erasure_goes_from_the_form_to_the_sealed_record(world, family, approximate):
    ada = worlds.subject_of(ADA)
    case = world.erased()
    assert (case.status, case.outcome, case.failure) == ("SEALED", "ERASED", "")
    assert told(runs(case)) == [
        ("base v1", "finetune", "REJECTED"),
        ("base v1", "retrain", "CLEARED"),
        ("child v1", "retrain", "CLEARED"),
    ]
    assert verdicts(case)[1:] == [["ERASED_BY_CONSTRUCTION"]] * 2
    assert verdicts(case)[0][0] not in {"PASS_LEAK", "PASS_STRICT", "ERASED_BY_CONSTRUCTION"}
    _, retrained, rebuilt = runs(case)
    assert rebuilt.base == retrained.unlearned
    assert retrained.escalated_from_id == runs(case)[0].pk
    check_nothing_is_left(world, ada)
    check_record(case)
    assert case.email == ""
    assert [letter.to for letter in mail.outbox] == [[ADA]] * 3  # link, receipt, answer


def check_nothing_is_left(world, ada):
    assert states() == {
        "base v1": "DESTROYED",
        "child v1": "DESTROYED",
        "other v1": "ACTIVE",
        "base v2": "DESTROYED",
        "base v3": "ACTIVE",
        "child v2": "ACTIVE",
    }
    hers = world.owned(ADA)
    assert world.touched(hers) == []
    assert not RecordContent.objects.filter(ordinal__in=list(hers)).exists()
    assert not DataRecord.objects.filter(subject=ada).exists()
    assert worlds.subject_of(ADA) is None
    assert [entry.ordinals for entry in read_journal()] == [hers]
    assert not ShadowResult.objects.exists()
    shadows = ModelVersion.objects.filter(kind="SHADOW")
    assert shadows.count() == 12
    assert {one.state for one in shadows} == {"DESTROYED"}


def check_record(case):
    verified = verify(bytes(case.record.data), vkey=keys.verifier_text())
    found = json.loads(bytes(case.record.data))
    assert ADA not in json.dumps(found)
    assert verified.seal.event.type == "case_sealed"
    order = [
        "request_received",
        "request_verified",
        "decision_proposed",
        "decision_approved",
        "request_accepted",
        "records_restricted",
        "duplicates_searched",
        "plan_drawn",
        "policy_fixed",
        "look_taken",
        "verdict_reached",
        "run_escalated",
        "shadows_purged",
        "journal_written",
        "records_erased",
        "subject_key_destroyed",
        "case_erased",
        "case_sealed",
    ]
    kinds = events(case)
    assert sorted(order, key=kinds.index) == order
    assert logged(case, "records_erased") == [
        {"records": 6, "remaining": 0, "space": logged(case, "records_restricted")[0]["space"]}
    ]


def test_every_job_is_rung_once_on_its_queue_and_nothing_is_done_again(world, base, ruled):
    ruled(FAIL)
    case = world.erased()
    told_of = {id_: queue for task, id_, queue in world.rung if task == "lineage.run_job"}
    assert len(told_of) == len([one for one in world.rung if one[0] == "lineage.run_job"])
    rows = {str(job.pk): job.queue for job in Job.objects.all()}
    assert told_of == rows
    assert {job.kind: job.queue for job in Job.objects.all()} == {
        "TRAIN": "heavy",
        "PLAN": "lineage",
        "UNLEARN": "heavy",
        "AUDIT": "heavy",
        "JUDGE": "heavy",
        "ERASE": "lineage",
        "REPORT": "report",
    }
    assert world.rung.count(("audits.advance", str(case.pk), "intake")) == 2
    check_that_nothing_happens_again(world, case)


def check_that_nothing_happens_again(world, case):
    def now():
        jobs = list(Job.objects.order_by("pk").values_list("pk", "status"))
        return events(case), jobs, len(mail.outbox)

    before = now()
    for _ in range(2):
        world.wake(case)
        world.do(workflow.retry, case_id=case.pk, user=worlds.officer())
    world.work()
    assert now() == before


def test_nothing_is_rung_for_what_was_not_committed(world):
    case = world.ask()
    world.rung.clear()
    with world.commit(execute=True), pytest.raises(RuntimeError):
        ring_in_vain(case)
    assert world.rung == []
    assert not Job.objects.filter(key="a key").exists()


@transaction.atomic
def ring_in_vain(case):
    doorbell.wake(case.pk)
    doorbell.job_for(case, "a key", "PLAN", "lineage", case.received_at)
    raise RuntimeError


# --- failures ---------------------------------------------------------------------------------


def test_a_failed_job_stops_the_case_with_a_sentence_and_a_retry_goes_on(world, base, monkeypatch):
    with monkeypatch.context() as broken:
        broken.setattr(
            "audits.execution.planning.search",
            lambda *_: (_ for _ in ()).throw(ValueError("The index is being rebuilt.")),
        )
        case = world.finish(world.accepted())
    assert (case.status, case.failure_code) == ("FAILED", "ValueError")
    assert case.failure == "The index is being rebuilt."
    assert case.failed_from == "RESTRICTED"
    assert logged(case, "case_failed") == [{"code": "VALUE_ERROR"}]
    assert restricted_ordinals(world.dataset.space) == world.owned(ADA)
    world.do(workflow.retry, case_id=case.pk, user=worlds.officer())
    case = world.finish(world.wake(case))
    assert (case.status, case.failure) == ("SEALED", "")


def test_one_case_that_cannot_go_on_does_not_stop_the_others(world, monkeypatch, caplog):
    stuck, well = world.ask("nobody@example.org"), world.ask("noone@example.org")
    advance = steps.advance

    def stumble(case_id):
        if case_id == stuck.pk:
            raise RuntimeError("stumbled")
        advance(case_id)

    monkeypatch.setattr(tasks, "advance", stumble)
    tasks.sweep()
    assert world.current(stuck).status == "VERIFIED"
    assert world.current(well).status == "SEALED"
    assert str(stuck.pk) in caplog.text


def test_a_run_of_lineage_that_failed_does_not_stay_open(world, family, approximate, monkeypatch):
    monkeypatch.setattr(
        "unlearning.methods.finetune.Finetune._unlearn",
        lambda *_: (_ for _ in ()).throw(ValueError("no")),
    )
    world.accepted()
    world.work(until=lambda: Job.objects.filter(kind="UNLEARN", status="FAILED").exists())
    assert not Run.objects.filter(state="RUNNING").exists()
    assert Run.objects.filter(state="INCOMPLETE", activity="UNLEARN").count() == 1
