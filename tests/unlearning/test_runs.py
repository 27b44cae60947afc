"""The life of an unlearning run in the database."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from pyroaring import BitMap

from lineage.core import bitmaps
from lineage.models import OrdinalSpace
from tests.audits.world import NOW, empty_version
from unlearning.models import UnlearningRun
from unlearning.services import runs
from unlearning.services.runs import RunNotWaiting

pytestmark = pytest.mark.django_db

FORGET = BitMap([1, 5, 70_000])


@pytest.fixture
def target(db):
    return empty_version("base")


@pytest.fixture
def space(db):
    return OrdinalSpace.objects.create(name="digits", next_ordinal=80_000)


@pytest.fixture
def queue(target, space):
    def one(**fields: object):
        given_: dict[str, object] = {
            "target": target,
            "space": space,
            "forget": FORGET,
            "method": "scrub",
            "hyperparameters": {"epochs": 2},
            "seed": 7,
            "waiting": False,
            "now": NOW,
        }
        return runs.queue_run(**given_ | fields)  # type: ignore[arg-type]  # as given

    return one


def finish(run, unlearned=None):
    return runs.finish_run(
        run_id=run.pk,
        unlearned=unlearned or empty_version("base"),
        guarantee="APPROXIMATE",
        report={"claim": "x"},
        seconds=2.5,
        now=NOW,
    )


def status(run):
    run.refresh_from_db()
    return run.status


def test_a_queued_run_knows_its_forget_set_and_what_retraining_would_take(queue, target):
    target.generated_by.seconds = 41.5
    run = queue()
    assert runs.forget_of(run) == FORGET
    assert (run.forget_count, run.forget_digest) == (3, bitmaps.digest(FORGET))
    assert (run.status, run.retrain_seconds_predicted) == ("QUEUED", 41.5)


def test_a_run_starts_and_starts_again_when_its_child_died(queue):
    run = queue()
    assert runs.start_run(run_id=run.pk)
    assert runs.start_run(run_id=run.pk)
    finish(run)
    assert not runs.start_run(run_id=run.pk)


def test_a_result_is_recorded_once_and_only_of_a_running_run(queue):
    run = queue()
    assert not finish(run)
    runs.start_run(run_id=run.pk)
    assert [finish(run), finish(run)] == [True, False]
    assert (status(run), run.guarantee, run.seconds) == ("SUCCEEDED", "APPROXIMATE", 2.5)


def test_a_failed_run_can_be_queued_again_and_forgets_the_error(queue):
    run = queue()
    runs.start_run(run_id=run.pk)
    assert runs.fail_run(run_id=run.pk, code="x" * 99, message="y" * 9_999, now=NOW)
    run.refresh_from_db()
    assert (len(run.error_code), len(run.error)) == (64, 2_000)
    assert [runs.requeue_run(run_id=run.pk) for _ in range(2)] == [True, False]
    assert (status(run), run.error_code, run.error, run.ended_at) == ("QUEUED", "", "", None)


@pytest.mark.parametrize(("cleared", "expected"), [(True, "CLEARED"), (False, "REJECTED")])
def test_a_run_is_judged_once(queue, cleared, expected):
    run = queue()
    runs.start_run(run_id=run.pk)
    finish(run)
    assert runs.judge_run(run_id=run.pk, cleared=cleared)
    assert not runs.judge_run(run_id=run.pk, cleared=not cleared)
    assert status(run) == expected


def test_only_a_cleared_run_can_be_reopened(queue):
    run = queue()
    assert not runs.reopen_run(run_id=run.pk)
    runs.start_run(run_id=run.pk)
    finish(run)
    runs.judge_run(run_id=run.pk, cleared=True)
    assert [runs.reopen_run(run_id=run.pk) for _ in range(2)] == [True, False]
    assert status(run) == "REJECTED"


def test_the_base_of_a_run_is_fixed_when_it_starts(queue):
    run, early, late = queue(), empty_version("b"), empty_version("c")
    runs.set_base(run_id=run.pk, base=early)
    runs.start_run(run_id=run.pk)
    runs.set_base(run_id=run.pk, base=late)
    run.refresh_from_db()
    assert run.base == early


def test_an_escalation_repeats_the_task_by_exact_retraining(queue):
    run = queue()
    following = runs.escalate_run(run_id=run.pk, seed=9, now=NOW)
    assert runs.escalate_run(run_id=run.pk, seed=1, now=NOW) == following
    assert (following.method, following.hyperparameters, following.seed) == ("retrain", {}, 9)
    assert (following.target, following.escalated_from) == (run.target, run)
    assert runs.forget_of(following) == FORGET


def test_a_waiting_run_is_decided_once(queue):
    run = queue(waiting=True)
    runs.decide_destroy(run_id=run.pk)
    assert (status(run), run.method) == ("QUEUED", "destroy")
    with pytest.raises(RunNotWaiting, match="does not wait for a decision"):
        runs.decide_destroy(run_id=run.pk)
    with pytest.raises(RunNotWaiting):
        runs.decide_outside(run_id=run.pk, replacement=run.target, now=NOW)


def test_a_version_from_outside_is_a_result_that_claims_no_recipe(queue):
    run, other = queue(waiting=True), empty_version("outside")
    runs.decide_outside(run_id=run.pk, replacement=other, now=NOW)
    assert (status(run), run.method, run.guarantee) == ("SUCCEEDED", "retrain_outside", "EXACT")
    assert run.unlearned == other
    assert "same recipe is not claimed" in run.report["claim"]


@pytest.mark.parametrize(
    ("own", "base", "weaker"),
    [
        ("EXACT", "EXACT", "EXACT"),
        ("EXACT", "APPROXIMATE", "APPROXIMATE"),
        ("APPROXIMATE", "EXACT", "APPROXIMATE"),
        ("EXACT", "", "EXACT"),
        ("APPROXIMATE", "", "APPROXIMATE"),
    ],
)
def test_a_version_inherits_the_weakest_guarantee(own, base, weaker):
    assert runs.weaker(own, base) == weaker


def test_the_database_refuses_a_result_without_a_model(queue):
    run = queue()
    with pytest.raises(IntegrityError), transaction.atomic():
        UnlearningRun.objects.filter(pk=run.pk).update(status="CLEARED")
    UnlearningRun.objects.filter(pk=run.pk).update(status="CLEARED", method="destroy")


def test_the_database_refuses_a_model_for_a_run_that_has_not_ended(queue):
    run = queue()
    with pytest.raises(IntegrityError), transaction.atomic():
        UnlearningRun.objects.filter(pk=run.pk).update(unlearned=run.target)


MOVES = {
    "start": lambda run: runs.start_run(run_id=run.pk),
    "finish": finish,
    "fail": lambda run: runs.fail_run(run_id=run.pk, code="X", message="x", now=NOW),
    "requeue": lambda run: runs.requeue_run(run_id=run.pk),
    "clear": lambda run: runs.judge_run(run_id=run.pk, cleared=True),
    "reject": lambda run: runs.judge_run(run_id=run.pk, cleared=False),
    "reopen": lambda run: runs.reopen_run(run_id=run.pk),
}
ALLOWED = {
    ("QUEUED", "RUNNING"),
    ("QUEUED", "FAILED"),
    ("RUNNING", "SUCCEEDED"),
    ("RUNNING", "FAILED"),
    ("FAILED", "QUEUED"),
    ("SUCCEEDED", "CLEARED"),
    ("SUCCEEDED", "REJECTED"),
    ("CLEARED", "REJECTED"),
}


@given(moves=st.lists(st.sampled_from(sorted(MOVES)), max_size=10))
@examples(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_no_order_of_calls_leaves_the_states_of_a_run(queue, moves):
    point = transaction.savepoint()
    try:
        run = queue()
        for move in moves:
            before = run.status
            changed = MOVES[move](run)
            after = status(run)
            assert before == after or (before, after) in ALLOWED
            assert changed or before == after
    finally:
        transaction.savepoint_rollback(point)
