"""A case that stopped in the audit is tried again, or its version is made or decided otherwise."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from audits import workflow
from audits.queries.case_work import stopped_runs
from lineage.models import Job, ModelVersion
from lineage.services import jobs
from tests.audits import world as worlds
from tests.audits.world import ADA, BERT, CLEO, DORA, PASS, events, logged, runs, told

pytestmark = pytest.mark.django_db


@pytest.fixture
def base(world):
    return world.train("base", world.snapshot(ADA, BERT, CLEO, DORA))


@pytest.fixture
def decider(client):
    client.force_login(worlds.officer())
    return client


def killed(world, kind):
    """Her case, whose worker was killed each time that it did a job of that kind."""
    case = world.accepted()
    world.work(until=lambda: Job.objects.filter(kind=kind, status="QUEUED").exists())
    job = Job.objects.filter(kind=kind)[0]
    for _ in range(jobs.DEFAULT_ATTEMPTS):
        now = timezone.now()
        jobs.claim_job(job_id=job.pk, now=now, lease=timedelta())
        jobs.take_back_lapsed(now=now + timedelta(seconds=1), lease=timedelta(seconds=60))
    case = world.wake(case)
    assert (case.status, case.failure_code) == ("FAILED", "CHILD_DIED")
    return case


def taken_over(world, case, client):
    run = runs(case)[0]
    address = f"/cases/{case.pk}/runs/{run.pk}/take-over/"
    assert address in client.get(f"/cases/{case.pk}/").content.decode()
    asked = client.get(address).content.decode()
    with world.commit(execute=True):
        client.post(address)
    return asked, world.wake(case)


def state_of(version):
    return ModelVersion.objects.get(pk=version.pk).state


def test_an_audit_whose_worker_was_killed_is_tried_again(world, base, ruled):
    ruled(PASS)
    case = killed(world, "JUDGE")
    world.do(workflow.retry, case_id=case.pk, user=worlds.officer())
    assert world.finish(case).status == "SEALED"
    assert told(runs(case)) == [("base v1", "finetune", "CLEARED")]


def test_a_result_that_cannot_be_audited_is_destroyed_and_the_version_made_exactly(
    world, base, ruled, decider
):
    ruled(PASS)
    case = killed(world, "JUDGE")
    result = runs(case)[0].unlearned
    asked, case = taken_over(world, case, decider)
    assert "base v1 is trained again from scratch" in asked
    case = world.finish(case)
    assert (case.status, case.failure) == ("SEALED", "")
    assert told(runs(case)) == [
        ("base v1", "finetune", "REJECTED"),
        ("base v1", "retrain", "CLEARED"),
    ]
    assert state_of(result) == "DESTROYED"
    assert [one["verdict"] for one in logged(case, "run_escalated")] == ["NOT_AUDITED"]
    assert {"run_taken_over", "request_resumed"} <= set(events(case))


def test_shadow_models_that_cannot_be_trained_are_given_up_in_the_same_way(
    world, base, approximate, decider
):
    case = killed(world, "AUDIT")
    assert [run.status for run in stopped_runs(case)] == ["SUCCEEDED"]
    _, case = taken_over(world, case, decider)
    assert world.finish(case).status == "SEALED"
    assert told(runs(case))[1] == ("base v1", "retrain", "CLEARED")


def test_what_was_trained_from_scratch_and_cannot_be_judged_waits_for_staff(world, base, decider):
    case = killed(world, "JUDGE")
    result = runs(case)[0].unlearned
    asked, case = taken_over(world, case, decider)
    assert "The version then waits for you" in asked
    case = world.finish(case)
    assert told(runs(case)) == [
        ("base v1", "retrain", "REJECTED"),
        ("base v1", "retrain", "WAITING"),
    ]
    waits = case.runs.get(status="WAITING")
    world.do(workflow.destroy_version, run_id=waits.pk, user=worlds.officer())
    case = world.finish(world.wake(case))
    assert (case.status, case.failure) == ("SEALED", "")
    assert (state_of(base), state_of(result)) == ("DESTROYED", "DESTROYED")


def test_a_run_that_is_judged_or_at_work_cannot_be_taken_over(world, base, decider):
    case = world.erased()
    run = runs(case)[0]
    answer = decider.post(f"/cases/{case.pk}/runs/{run.pk}/take-over/")
    assert answer.status_code == 404
    world.do(workflow.take_over, run_id=run.pk, user=worlds.officer())  # nothing happens
    assert told(runs(case)) == [("base v1", "retrain", "CLEARED")]


@pytest.fixture
def child(world, base):
    return world.train("child", world.snapshot(BERT, CLEO), base=base)


@pytest.fixture
def stuck(world, child, decider):
    """Her case, in which staff are to decide about the base instead of trying it again."""
    _, case = taken_over(world, killed(world, "UNLEARN"), decider)
    case = world.finish(case)
    assert told(runs(case)) == [
        ("base v1", "retrain", "WAITING"),
        ("child v1", "retrain", "QUEUED"),
    ]
    return case


def test_a_child_waits_while_staff_decide_about_its_base(world, stuck):
    assert (stuck.status, stuck.failure) == ("UNLEARNING", "")
    assert not Job.objects.filter(payload_id=stuck.runs.get(status="QUEUED").pk).exists()


def test_staff_are_asked_about_a_child_whose_base_was_destroyed(world, stuck, child):
    world.do(workflow.destroy_version, run_id=runs(stuck)[0].pk, user=worlds.officer())
    case = world.finish(world.wake(stuck))
    assert told(runs(case)) == [
        ("base v1", "destroy", "CLEARED"),
        ("child v1", "retrain", "WAITING"),
    ]
    assert [one["code"] for one in logged(case, "run_failed")] == ["NO_BASE"]
    world.do(workflow.destroy_version, run_id=runs(case)[1].pk, user=worlds.officer())
    case = world.finish(world.wake(case))
    assert (case.status, case.failure, state_of(child)) == ("SEALED", "", "DESTROYED")


def test_a_child_is_trained_on_what_staff_put_in_the_place_of_its_base(world, stuck):
    other = world.train("base", world.snapshot(BERT, CLEO, DORA))
    world.do(
        workflow.use_outside_version,
        run_id=runs(stuck)[0].pk,
        version_id=other.pk,
        user=worlds.officer(),
    )
    case = world.finish(world.wake(stuck))
    assert (case.status, case.failure) == ("SEALED", "")
    assert runs(case)[1].base == other
