"""Whole cases, from the form to the seal, with the worker in this process."""

from __future__ import annotations

import json

import pytest
from django.core import mail
from django.db import transaction

from audits import keys, workflow
from audits.core.record import verify
from audits.models import Evidence, ShadowResult
from audits.services.transitions import MoveNotAllowed
from audits.workflow import doorbell, steps, tasks
from lineage.models import DataRecord, Job, ModelVersion, RecordContent, Run
from lineage.queries.availability import restricted_ordinals
from lineage.services.journal import read_journal
from tests.audits import world as worlds
from tests.audits.world import (
    ADA,
    BERT,
    CLEO,
    DORA,
    FAIL,
    PASS,
    STRANGERS,
    events,
    logged,
    runs,
    told,
)


@pytest.fixture
def base(world):
    """A version that learned from Ada and others."""
    return world.train("base", world.snapshot(ADA, BERT, CLEO, DORA))


@pytest.fixture
def family(world, base):
    """The same, a child that learned from her through it, and one that did not."""
    child = world.train("child", world.snapshot(BERT, CLEO, DORA), base)
    other = world.train("other", world.snapshot(BERT, CLEO))
    return base, child, other


def states():
    """The state of every model that is not a shadow."""
    found = ModelVersion.objects.filter(kind="MODEL")
    return {str(one): one.state for one in found}


def verdicts(case):
    return [[one.outcome for one in run.verdicts.all()] for run in runs(case)]


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


# --- base and child ---------------------------------------------------------------------------


def test_a_child_of_an_approximately_cleared_base_is_audited_with_it(world, family, ruled):
    ruled(PASS, PASS)
    case = world.erased()
    assert told(runs(case)) == [
        ("base v1", "finetune", "CLEARED"),
        ("child v1", "retrain", "CLEARED"),
    ]
    base, child = runs(case)
    assert (base.guarantee, child.guarantee) == ("APPROXIMATE", "APPROXIMATE")
    assert child.base == base.unlearned
    assert child.unlearned
    assert child.unlearned.guarantee == "APPROXIMATE"
    assert verdicts(case) == [["PASS_LEAK"], ["PASS_LEAK"]]
    assert len(logged(case, "policy_fixed")) == 2
    assert world.touched(world.owned(ADA)) == []


def test_a_child_that_is_not_cleared_takes_its_base_back(world, family, ruled):
    ruled(PASS, FAIL)
    case = world.erased()
    assert (case.status, case.failure) == ("SEALED", "")
    assert told(runs(case)) == [
        ("base v1", "finetune", "REJECTED"),
        ("base v1", "retrain", "CLEARED"),
        ("child v1", "retrain", "REJECTED"),
        ("child v1", "retrain", "CLEARED"),
    ]
    base, child = runs(case)[1], runs(case)[3]
    assert child.base == base.unlearned
    assert (base.guarantee, child.guarantee) == ("EXACT", "EXACT")
    assert {row["verdict"] for row in logged(case, "run_escalated")} == {
        "CHILD_NOT_CLEARED",
        "FAIL",
    }
    left = {name for name, state in states().items() if state == "ACTIVE"}
    assert left == {"other v1", str(base.unlearned), str(child.unlearned)}


def test_a_child_keeps_a_base_that_never_saw_the_person(world, ruled):
    base = world.train("base", world.snapshot(BERT, CLEO))
    world.train("child", world.snapshot(ADA, DORA), base)
    ruled(FAIL)
    case = world.erased()
    assert (case.status, case.failure) == ("SEALED", "")
    assert told(runs(case)) == [
        ("child v1", "finetune", "REJECTED"),
        ("child v1", "retrain", "CLEARED"),
    ]
    assert [run.base for run in runs(case)] == [base, base]
    assert states()["base v1"] == "ACTIVE"
    assert runs(case)[1].verdicts.get().outcome == "ERASED_BY_CONSTRUCTION"


# --- what changes on the way ------------------------------------------------------------------


def until_erasing(world):
    """Work until the next job is the erasure."""
    world.work(until=lambda: Job.objects.filter(kind="ERASE", status="QUEUED").exists())


def test_the_plan_is_redrawn_for_a_version_that_came_meanwhile(world, base):
    case = world.accepted()
    until_erasing(world)
    world.train("late", world.snapshot(BERT, CLEO), base)
    case = world.finish(case)
    assert (case.status, case.failure) == ("SEALED", "")
    assert ("late v1", "retrain", "CLEARED") in told(runs(case))
    assert states()["late v1"] == "DESTROYED"
    assert [row["name"] for row in case.plan["affected"]] == ["base v1", "late v1"]
    assert events(case).index("plan_redrawn") < events(case).index("records_erased")
    assert world.touched(world.owned(ADA)) == []


def test_records_that_arrive_on_the_way_are_erased_too(world, base):
    case = world.accepted()
    until_erasing(world)
    worlds.imported("digits", [(ADA, worlds.digits()[0])])
    case = world.finish(case)
    assert (case.status, case.failure) == ("SEALED", "")
    assert [row["records"] for row in logged(case, "records_restricted")] == [6, 1]
    assert [row["records"] for row in logged(case, "records_erased")] == [7]
    assert case.plan["spaces"][0]["records"] == 7


def test_a_version_that_was_open_when_records_were_restricted_is_found(world):
    """Trained on a snapshot that names Ada, after her records left every training view."""
    everybody = world.snapshot(ADA, BERT, CLEO)
    world.train("base", everybody)
    case = world.accepted()
    late = world.train("late", everybody)
    case = world.finish(case)
    assert case.status == "SEALED"
    assert late not in [run.target for run in runs(case)]  # its view did not serve her
    assert world.touched(world.owned(ADA)) == []


# --- people -----------------------------------------------------------------------------------


def test_somebody_with_records_but_no_model_is_erased(world):
    case = world.erased(STRANGERS[0])
    assert (case.status, case.outcome) == ("SEALED", "ERASED")
    assert runs(case) == []
    assert logged(case, "records_erased")[0]["records"] == 9
    check_sealed(case)


def check_sealed(case):
    verify(bytes(case.record.data), vkey=keys.verifier_text())


def test_somebody_unknown_gets_a_sealed_answer(world):
    case = world.finish(world.wake(world.ask("nobody@example.org")))
    assert (case.status, case.outcome, case.email) == ("SEALED", "NO_DATA_FOUND", "")
    assert "no data about you" in mail.outbox[-1].subject
    check_sealed(case)


def test_a_second_request_joins_the_open_one(world):
    first = world.accepted()
    second = world.finish(world.wake(world.ask()))
    assert (second.status, second.outcome, second.joined_to) == ("SEALED", "JOINED", first)
    assert ADA not in bytes(second.record.data).decode()
    assert world.finish(first).status == "SEALED"


def test_after_the_erasure_nothing_is_found_any_more(world):
    world.erased(STRANGERS[0])
    again = world.finish(world.wake(world.ask(STRANGERS[0])))
    assert (again.status, again.outcome) == ("SEALED", "NO_DATA_FOUND")


def test_a_request_that_is_not_confirmed_affects_nobody(world):
    received = world.submit()
    world.rung.clear()
    tasks.sweep()
    world.wake(received.request)
    assert world.current(received.request).status == "RECEIVED"
    assert not restricted_ordinals(world.dataset.space)
    assert world.rung == []
    with pytest.raises(MoveNotAllowed, match="can become ACCEPTED only from VERIFIED"):
        workflow.accept(case_id=received.request.pk, ground=worlds.CONSENT, user=worlds.officer())
    other = world.wake(world.ask())
    assert other.outcome == ""  # whoever merely typed the address does not block its owner


def test_a_refused_request_is_answered_and_touches_nothing(world):
    case = world.wake(world.ask())
    case = world.finish(world.refuse(case, "ART_17_3_B"))
    assert (case.status, case.outcome, case.email) == ("SEALED", "REFUSED", "")
    assert not restricted_ordinals(world.dataset.space)
    assert worlds.subject_of(ADA) is not None
    check_sealed(case)


@pytest.mark.parametrize("confirmed", [True, False])
def test_a_withdrawn_request_is_answered_and_touches_nothing(world, confirmed):
    case = world.ask() if confirmed else world.submit().request
    world.do(workflow.withdraw, case_id=case.pk)
    case = world.finish(world.wake(case))
    assert (case.status, case.outcome, case.email) == ("SEALED", "WITHDRAWN", "")
    check_sealed(case)


# --- two people, one model --------------------------------------------------------------------


def test_two_people_in_one_model_are_served_one_after_the_other(world, family):
    ada, bert = world.accepted(ADA), world.accepted(BERT)
    assert bert.status == "RESTRICTED"
    assert not Job.objects.filter(key__startswith=f"plan:{bert.pk}").exists()
    ada = world.finish(ada)
    assert (ada.status, world.current(bert).status) == ("SEALED", "RESTRICTED")
    tasks.sweep()
    bert = world.finish(bert)
    assert (bert.status, bert.failure) == ("SEALED", "")
    assert world.touched(world.owned(ADA, BERT)) == []
    active = {name for name, state in states().items() if state == "ACTIVE"}
    assert {name.split()[0] for name in active} == {"base", "child", "other"}


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


# --- audits that cannot be made ---------------------------------------------------------------


def test_what_is_too_small_for_an_attack_is_said(world):
    world.train("base", world.snapshot(ADA, BERT))
    world.accepted()
    world.work(until=lambda: Job.objects.filter(kind="ERASE").exists())
    row = Evidence.objects.get(kind="POPULATION")
    assert row.payload["unlearned"] is None
    assert "at least 30 records" in row.payload["not_computed"]


def test_without_twins_the_audit_is_not_computed_and_retraining_follows(world, approximate):
    everybody = [ADA, BERT, CLEO, DORA, *STRANGERS]
    world.train("base", world.snapshot(*everybody))
    case = world.erased()
    assert (case.status, case.failure) == ("SEALED", "")
    assert verdicts(case) == [["INCONCLUSIVE"], ["ERASED_BY_CONSTRUCTION"]]
    evidence = runs(case)[0].evidence.get(kind="U_LIRA")
    assert "not computed" in evidence.payload["not_computed"]
    assert "shadows_purged" not in events(case)
